import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { keys } from '../api/keys'
import { Problem } from '../api/problem'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { shortRing } from '../phone/ring'
import { ErrorNotice } from '../ui/error-notice'
import { Notice } from '../ui/notice'
import { Num } from '../ui/number'
import { useCategory } from '../requests/use-category'
import { callUrgent, takeUrgent, useUrgent, type UrgentMatter } from './queries'
import style from './urgent.module.css'

const AGAIN = 10_000

/**
 * What cannot wait stands above every page, and rings, until somebody takes it; what I have taken, or was too late
 * for, stays until I have called, or put it away.
 */
export default function Urgent({ me }: { me: Me }) {
  const { text } = useLanguage()
  const { data } = useUrgent()
  const [mine, setMine] = useState<UrgentMatter[]>([])
  const open = (data ?? []).filter(({ id }) => mine.every((one) => one.id !== id))
  useRinging((data ?? []).filter(({ quiet }) => !quiet), me.callback !== null)
  const keep = (matter: UrgentMatter) => setMine((before) => [...before.filter(({ id }) => id !== matter.id), matter])
  const drop = (matter: UrgentMatter) => setMine((before) => before.filter(({ id }) => id !== matter.id))
  if (open.length + mine.length === 0) return null
  return (
    <section className={style.all} role="alert" aria-label={text.urgent.title} data-testid="urgent">
      {[...open, ...mine].map((matter) => (
        <One key={matter.id} me={me} matter={matter} onPress={keep} onDone={drop} />
      ))}
    </section>
  )
}

interface Props {
  me: Me
  matter: UrgentMatter
  /** It stays from here on: news that it is taken may come before the answer to who takes it, or instead of it. */
  onPress: (matter: UrgentMatter) => void
  onDone: (matter: UrgentMatter) => void
}

function One({ me, matter, onPress, onDone }: Props) {
  const { text, format } = useLanguage()
  const words = text.urgent
  const queries = useQueryClient()
  const [, go] = useLocation()
  const category = useCategory()
  const take = useMutation({
    mutationFn: () => takeUrgent(matter.id),
    onMutate: () => onPress(matter),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.urgent }),
  })
  const call = useMutation({
    mutationFn: () => callUrgent(matter.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: keys.me })
      onDone(matter)
      go('/desk')
    },
  })
  const mayCall = matter.number !== null && me.desk?.phone_connected === true && me.callback === null
  const busy = take.isPending || call.isPending
  const taken = take.isSuccess
  const late = refused(take.error)
  const free = !taken && !late
  return (
    <Notice tone={matter.quiet ? 'warning' : 'error'} data-testid="urgent-matter">
      <div className={style.line}>
        <span>
          <b>{matter.category === null ? words.danger : words.request(category(matter.category))}</b>{' '}
          {words.since(format.time(matter.made_at))}
          {matter.request_id !== null && matter.tracking !== null && (
            <> · <Link href={`/requests/${String(matter.request_id)}`}><Num>{format.ticket(matter.tracking)}</Num></Link></>
          )}
          {matter.number !== null && <> · <Num data-number={matter.number}>{format.phone(matter.number)}</Num></>}
          {matter.category === null && <> · {matter.on_the_line ? words.waits : words.alone}</>}
          {matter.place && <> · <bdi>{matter.place}</bdi></>}
          {matter.quiet && <> · {words.quiet}</>}
        </span>
        <span className={style.actions}>
          {free && mayCall && (
            <Button color="brick" disabled={busy} onClick={() => take.mutate(undefined, { onSuccess: () => call.mutate() })} data-testid="urgent-take-call">{words.takeAndCall}</Button>
          )}
          {free && <Button variant="default" disabled={busy} onClick={() => take.mutate()} data-testid="urgent-take">{words.take}</Button>}
          {taken && <b>{words.taken}</b>}
          {taken && mayCall && <Button color="brick" disabled={busy} onClick={() => call.mutate()} data-testid="urgent-call">{words.call}</Button>}
          {!free && <Button variant="default" disabled={busy} onClick={() => onDone(matter)} data-testid="urgent-done">{words.done}</Button>}
        </span>
      </div>
      <ErrorNotice error={take.error ?? call.error} />
    </Notice>
  )
}

/** Whether the answer is no, and not that there is none. */
const refused = (error: unknown) => error instanceof Problem && !error.passing

/** Each new one rings at once; as long as any is open it rings again, but not into a conversation. */
function useRinging(open: UrgentMatter[], inCall: boolean): void {
  const heard = useRef(new Set<number>())
  const ids = open.map(({ id }) => id).join(' ')
  useEffect(() => {
    const fresh = ids.split(' ').filter(Boolean).map(Number).filter((id) => !heard.current.has(id))
    fresh.forEach((id) => heard.current.add(id))
    if (fresh.length > 0) shortRing()
    if (!ids || inCall) return
    const timer = setInterval(shortRing, AGAIN)
    return () => clearInterval(timer)
  }, [ids, inCall])
}
