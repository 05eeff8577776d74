import { Menu } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { nameOf, type Destination, type PageOfOffice } from '../pages'
import { PageLink } from '../head/page-link'
import style from './rail.module.css'

interface Props {
  me: Me
  more: { destination: Destination; pages: PageOfOffice[] }[]
  here: Destination | undefined
}

/** The destinations for which there is no room below a telephone's page. */
export default function More({ me, more, here }: Props) {
  const { text } = useLanguage()
  return (
    <Menu>
      <Menu.Target>
        <button type="button" className={style.to} data-current={more.some(({ destination }) => destination === here)} data-testid="rail-more">
          <IconDots aria-hidden stroke={1.6} />
          <span>{text.shell.more}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {more.map(({ destination, pages: [first] }) => first && (
          <Menu.Item
            key={destination} component={PageLink} to={first} data-testid={`rail-${destination}`} aria-current={destination === here ? 'page' : undefined}
          >
            {nameOf(me, destination, text)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
