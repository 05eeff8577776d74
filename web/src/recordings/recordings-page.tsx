import { Button, NativeSelect, Paper, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { addDays, cityTime } from '../../shared/language/city-time'
import { latinDigits } from '../../shared/language/digits'
import { serverNow } from '../api/clock'
import { useRoundsFrom } from '../api/rounds'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ANY_DAYS, DayRange, momentsOf } from '../ui/day-range'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Header } from '../head/header'
import { LoadMore } from '../ui/load-more'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { ReasonDialog } from '../ui/reason-dialog'
import { useTitle } from '../ui/use-title'
import { Whole } from '../ui/whole'
import { type AnyRecording, deleteRecording, useAllRecordings, useRetention } from './queries'
import { sizeOf } from './size'
import { RecordingItem } from './recording-item'
import style from '../ui/rows.module.css'

/** Digits of a ticket number; an older one has a digit less. */
const TICKETS = [7, 8]

/** The recordings of all rounds: how long they are kept, and each to be heard. */
export default function RecordingsPage({ me }: { me: Me }) {
  const { text, format, office } = useLanguage()
  const words = text.retention
  useTitle(words.title)
  const [round, setRound] = useState('')
  const [ticket, setTicket] = useState('')
  const [days, setDays] = useState(ANY_DAYS)
  const [leaving, setLeaving] = useState<AnyRecording | null>(null)
  const [typed] = useDebouncedValue(latinDigits(ticket).replace(/\s/g, ''), 250)
  const query = useAllRecordings({
    ...momentsOf(days), round_id: round ? Number(round) : undefined, ticket: TICKETS.includes(typed.length) ? typed : undefined,
  })
  const [since] = useState(() => `${addDays(cityTime(serverNow()).day, -365)}T00:00:00Z`)
  const { data: rounds = [] } = useRoundsFrom(since)
  const found = query.data?.pages.flatMap(({ items }) => items) ?? []
  const clear = () => {
    setRound('')
    setTicket('')
    setDays(ANY_DAYS)
  }

  return (
    <div>
      <Header me={me} page="recordings">{null}</Header>
      <main>
        <Whole className={style.page}>
          <Kept />
          <div className={style.bar} role="search">
            <NativeSelect
              label={words.round} value={round} data-testid="round-filter" onChange={(event) => setRound(event.currentTarget.value)}
              data={[{ value: '', label: words.anyRound }, ...rounds.filter(({ recorded }) => recorded).toReversed().map((one) => ({
                value: String(one.id), label: `${office(one.official)}${text.comma}${format.longDate(one.starts_at)}`,
              }))]}
            />
            <TextInput
              label={words.ticket} value={format.digits(ticket)} maxLength={12} inputMode="numeric" data-testid="ticket-filter"
              onChange={(event) => setTicket(event.currentTarget.value)}
            />
            <DayRange days={days} onChange={setDays} onClear={clear} />
          </div>
          <ErrorNotice error={query.error} />
          {query.isPending && <Loading />}
          {query.isSuccess && found.length === 0 && <Empty action={<Button variant="light" onClick={clear}>{text.filters.clear}</Button>}>{words.none}</Empty>}
          {found.length > 0 && (
            <Paper withBorder className={style.card}>
              <p className={style.soft}>{text.recordings.logged}</p>
              <ul className={style.plain}>
                {found.map((one) => (
                  <RecordingItem key={one.callback_id} recording={one} about={office(one.official)}>
                    {me.role === 'administrator' && !one.deleted_at && (
                      <Button size="compact-sm" variant="light" color="brick" onClick={() => setLeaving(one)} data-testid="delete-recording">
                        {words.delete}
                      </Button>
                    )}
                  </RecordingItem>
                ))}
              </ul>
            </Paper>
          )}
          <LoadMore query={query} />
        </Whole>
      </main>
      {leaving && (
        <ReasonDialog
          title={words.deleteTitle(format.ticket(leaving.ticket))} help={words.deleteHelp} action={words.delete} color="brick" about={words.reasonLogged}
          act={(reason) => deleteRecording(leaving.callback_id, reason)} onClose={() => setLeaving(null)}
        />
      )}
    </div>
  )
}

/** What is in force, what is kept, and how much room is left. */
function Kept() {
  const { text, format } = useLanguage()
  const words = text.retention
  const { data } = useRetention()
  if (!data) return null
  const size = (bytes: number) => sizeOf(bytes, words, format)
  const facts: Fact[] = [
    [words.days, words.daysOf(format.number(data.days))],
    [words.kept, words.keptOf(format.number(data.recordings), size(data.size))],
    ...(data.oldest ? [[words.oldest, format.longDate(data.oldest)] as Fact] : []),
    ...(data.next_deletion ? [[words.next, format.longDate(data.next_deletion)] as Fact] : []),
    [words.disk, words.diskOf(size(data.disk_free), size(data.disk_total))],
  ]
  return (
    <Paper withBorder component="section" className={style.card} aria-label={words.inForce} data-testid="retention">
      <Facts facts={facts} />
      {data.disk_nearly_full && <Notice tone="error" data-testid="disk-nearly-full">{words.nearlyFull}</Notice>}
    </Paper>
  )
}
