import { __iconNode as camera } from '@tabler/icons-react/icons/IconCamera'
import { __iconNode as map } from '@tabler/icons-react/icons/IconMap2'
import { __iconNode as microphone } from '@tabler/icons-react/icons/IconMicrophone'
import { __iconNode as photo } from '@tabler/icons-react/icons/IconPhoto'
import { __iconNode as pin } from '@tabler/icons-react/icons/IconMapPin'

export { camera, map, microphone, photo, pin }
