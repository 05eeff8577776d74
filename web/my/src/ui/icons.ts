import { __iconNode as phone } from '@tabler/icons-react/icons/IconPhone'
import { __iconNode as home } from '@tabler/icons-react/icons/IconHome'
import { __iconNode as list } from '@tabler/icons-react/icons/IconListDetails'
import { __iconNode as users } from '@tabler/icons-react/icons/IconUsers'
import { __iconNode as user } from '@tabler/icons-react/icons/IconUser'

export { home, list, phone, user, users }
