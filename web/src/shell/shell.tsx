import { Suspense, useEffect, type ReactNode } from 'react'
import { useLocation } from 'wouter'
import { useLiveUpdates } from '../api/live'
import { mayAnswer, mayMove } from '../api/permissions'
import { whenQuiet } from '../api/quiet'
import type { Me } from '../api/types'
import { ON_THE_PHONE } from '../desk/use-desk'
import { useDeskPhone } from '../phone/desk-phone'
import { CallsDown } from '../callbacks/calls-down'
import { fetchDialogs } from '../ui/dialog'
import { extra, part } from '../ui/part'
import { fetchSheets } from '../ui/sheet'
import { useStore } from '../ui/store'
import { useWarnOnLeave } from '../ui/warn-on-leave'
import { DepartmentShell } from './department-shell'
import { Rail } from './rail'
import { useEarlyKeys } from './use-early-keys'
import { useTells } from './use-tells'
import style from './shell.module.css'

/** With all its buttons: one that came late would push «hang up» away. */
const CallBar = part(async () => {
  const [{ CallBar }] = await Promise.all([import('./call-bar'), import('../desk/third-person').then(({ fetchThirdPerson }) => fetchThirdPerson())])
  return { default: CallBar }
})
const AtDesk = part(() => import('./at-desk'))
const QualityWatch = extra(() => import('../phone/quality-watch'))
const Urgent = part(() => import('./urgent'))
const Escalated = part(() => import('./escalated'))
const Search = part(() => import('../citizens/search'))

/** These show the call themselves, with all that can be done with it. */
const SHOW_THE_CALL = ['/desk', '/official', '/assist']

interface Props {
  me: Me
  /** Fetches the code of the page at an address ahead. */
  fetchPage: (path: string) => void
  children: ReactNode
}

/** What stays while the pages change; a department has little of it. */
export function Shell(props: Props) {
  return props.me.department ? <DepartmentShell me={props.me}>{props.children}</DepartmentShell> : <OfficeShell {...props} />
}

/** The rail, the call, and what the server tells. */
function OfficeShell({ me, fetchPage, children }: Props) {
  const [path] = useLocation()
  useLiveUpdates(me.desk?.id ?? null)
  const call = me.callback && ON_THE_PHONE.includes(me.callback.state) ? me.callback : null
  useWarnOnLeave(call !== null)
  useTells(call)
  const connected = useStore(useDeskPhone().status).state === 'connected'
  const search = useEarlyKeys()
  useEffect(() => whenQuiet(() => [Search.fetchAhead, fetchDialogs, fetchSheets].forEach((fetch) => void fetch())), [])
  return (
    <div className={style.shell}>
      <Rail me={me} path={path} onSearch={search.ask} />
      <div className={style.content}>
        {mayAnswer(me.role) && <Suspense><Urgent me={me} /></Suspense>}
        {mayMove(me.role) && <Suspense><Escalated /></Suspense>}
        <CallsDown since={me.calls_down_since} />
        {(me.heard_by.length + me.words.length > 0 || me.consulted_in !== null) && <Suspense><AtDesk me={me} /></Suspense>}
        {children}
        {call && !SHOW_THE_CALL.includes(path) && <Suspense><CallBar me={me} callback={call} /></Suspense>}
      </div>
      {connected && <Suspense><QualityWatch me={me} /></Suspense>}
      {search.asked > 0 && <Suspense><Search key={me.username} me={me} asked={search.asked} onThere={search.there} onLikely={fetchPage} /></Suspense>}
    </div>
  )
}
