import type { ComponentProps } from 'react'
import { Link } from 'wouter'
import type { PageOfOffice } from '../pages'

type Props = Omit<ComponentProps<'a'>, 'href' | 'ref'> & { to: PageOfOffice }

/** Leads to a page of the office. One for a screen of its own opens beside this window, whose call goes on. */
export function PageLink({ to: { name, alone }, children, ...rest }: Props) {
  const href = `/${name}`
  return alone
    ? <a {...rest} href={href} target="_blank" rel="noreferrer">{children}</a>
    : <Link {...rest} href={href}>{children}</Link>
}
