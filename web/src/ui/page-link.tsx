import type { ComponentProps } from 'react'
import { Link } from 'wouter'
import type { PageOfOffice } from '../pages'

type Props = Omit<ComponentProps<'a'>, 'href' | 'ref'> & { to: PageOfOffice }

/** Leads to a page of the office. One for a screen of its own opens beside this window, whose call goes on. */
export const PageLink = ({ to: { name, alone }, ...rest }: Props) =>
  alone ? <a {...rest} href={`/${name}`} target="_blank" rel="noreferrer" /> : <Link {...rest} href={`/${name}`} />
