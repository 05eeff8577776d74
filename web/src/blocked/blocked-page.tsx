import { Button, NativeSelect, Paper, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { adminKeys } from '../api/keys'
import { mayMove } from '../api/permissions'
import { COMMAND_LINE, type Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Notice } from '../ui/notice'
import { Latin, Num } from '../ui/number'
import { useFields } from '../ui/use-fields'
import { type Offer, useUndo } from '../ui/use-undo'
import { useTitle } from '../ui/use-title'
import { type BlockedNumber, type BlockIn, blockNumber, countPlaces, unblockNumber, useBlocked } from './queries'
import style from '../ui/rows.module.css'

/** The number to which a link leads: what follows the # stays in this browser, for a telephone number belongs into no address. */
const linked = () => decodeURIComponent(location.hash.slice(1)).replace(/^\+98/, '0')

/** The numbers that may not register, and why. */
export default function BlockedPage({ me }: { me: Me }) {
  const { text, format } = useLanguage()
  useTitle(text.blocked.title)
  const words = text.blocked
  const [wanted, setWanted] = useState(linked)
  const [settled] = useDebouncedValue(wanted, 250)
  const { data: blocked = [], isPending, error } = useBlocked(settled)
  const { offer, undo } = useUndo()
  const [leaving, setLeaving] = useState<BlockedNumber | null>(null)
  // The number that was let in last: what the form said of it is no longer so.
  const [letIn, setLetIn] = useState('')
  const may = mayMove(me.role)

  return (
    <div>
      {undo}
      <Header me={me} page="blocked">{null}</Header>
      <main className={style.page}>
        {may && <BlockForm offer={offer} letIn={letIn} onBlocked={() => setLetIn('')} />}
        <TextInput
          aria-label={words.search} placeholder={words.search} value={wanted} maxLength={100} data-testid="search"
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <ErrorNotice error={error} />
        {isPending && <Loading />}
        {!isPending && blocked.length === 0 && (
          <Empty action={settled.trim() && <Button variant="light" onClick={() => setWanted('')}>{text.filters.clear}</Button>}>
            {settled.trim() ? words.noneFound : words.none}
          </Empty>
        )}
        {blocked.length > 0 && (
          <ul className={style.rows}>
            {blocked.map((one) => (
              <li
                key={one.number} className={style.row} style={{ gridTemplateColumns: '160px 1fr 1.6fr 1.2fr auto' }} data-testid="blocked"
                data-number={one.number}
              >
                <strong><Num>{format.phone(one.number)}</Num></strong>
                <span>{words.reasons[one.reason]}</span>
                <span className={style.soft}>{one.note}</span>
                <span className={style.soft}>
                  {one.who === COMMAND_LINE ? text.audit.commandLine : <Latin>{one.who}</Latin>}{one.who && text.comma}{format.moment(one.blocked_at)}
                </span>
                {may && (
                  <Button size="compact-sm" variant="default" onClick={() => setLeaving(one)} data-testid="unblock" w="max-content">
                    {words.unblock}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </main>
      {leaving && (
        <ConfirmDialog
          title={words.unblockTitle(format.phone(leaving.number))} help={words.unblockHelp} action={words.unblock}
          act={() => unblockNumber(leaving.number)} onClose={() => setLeaving(null)}
          onDone={() => {
            offer({ said: words.unblocked(format.phone(leaving.number)), back: () => blockNumber({ number: leaving.number, reason: leaving.reason, note: leaving.note }) })
            setLeaving(null)
            setLetIn(leaving.number)
          }}
        />
      )}
    </div>
  )
}

const EMPTY: BlockIn = { number: '', reason: 'nuisance', note: '' }

function BlockForm({ offer, letIn, onBlocked }: { offer: Offer; letIn: string; onBlocked: () => void }) {
  const { text, format } = useLanguage()
  const words = text.blocked
  const queries = useQueryClient()
  const [wanted, setWanted] = useState(EMPTY)
  const set = (part: Partial<BlockIn>) => setWanted((before) => ({ ...before, ...part }))
  const [cost, setCost] = useState(0)
  const block = useMutation({
    mutationFn: blockNumber,
    onSuccess: ({ blocked: { number }, given_up, was_blocked, being_called }) => {
      setWanted(EMPTY)
      onBlocked()
      // A place that was given up, or will be when its call ends, does not come back.
      if (given_up === 0 && !was_blocked && !being_called) offer({ said: words.doneNone(format.phone(number)), back: () => unblockNumber(number).then(() => block.reset()) })
      void queries.invalidateQueries({ queryKey: adminKeys.blocked })
    },
  })
  // Places do not come back: with any, it is asked first.
  const ask = useMutation({
    mutationFn: (one: BlockIn) => countPlaces(one.number),
    onSuccess: (count, one) => {
      if (count > 0) setCost(count)
      else block.mutate(one)
    },
  })
  const { at, rest, send } = useFields({ number: !wanted.number.trim() && text.fields.missing, note: null }, ask.error ?? block.error)
  const told = block.data
  const offered = told?.given_up === 0 && !told.was_blocked && !told.being_called
  const done = told && told.blocked.number !== letIn && (told.given_up > 0
    ? words.done(format.phone(told.blocked.number), format.number(told.given_up))
    : words.doneNone(format.phone(told.blocked.number)))
  return (
    <>
      <Paper withBorder component="form" className={style.card} noValidate data-testid="block-form" onSubmit={(event) => {
        event.preventDefault()
        if (!ask.isPending && !block.isPending) send(() => ask.mutate(wanted))
      }}>
        <div className={style.form}>
          <p className={style.soft}>{words.help}</p>
          <div className={style.bar}>
            <TextInput
              {...at('number')} label={words.number} value={format.digits(wanted.number)} maxLength={40} dir="ltr" inputMode="tel" data-testid="number"
              onChange={(event) => set({ number: event.currentTarget.value })}
            />
            <NativeSelect
              label={words.reason} value={wanted.reason} data-testid="block-reason"
              data={(['nuisance', 'owner'] as const).map((value) => ({ value, label: words.reasons[value] }))}
              onChange={(event) => set({ reason: event.currentTarget.value as BlockIn['reason'] })}
            />
            <TextInput
              {...at('note')} className={style.wide} label={words.note} value={wanted.note} maxLength={400} data-testid="note"
              onChange={(event) => set({ note: event.currentTarget.value })}
            />
            <Button type="submit" variant="light" color="brick" loading={ask.isPending || block.isPending} data-testid="block">{words.block}</Button>
          </div>
          <ErrorNotice error={rest} />
          <div role="status" className="live">
            {done && !offered && <Notice tone="plain" data-testid="block-done">{done} {told.being_called && words.beingCalled}</Notice>}
          </div>
        </div>
      </Paper>
      {cost > 0 && (
        <ConfirmDialog
          title={words.askTitle(format.phone(wanted.number))} help={words.ask(format.number(cost))} action={words.askAction(format.number(cost))}
          color="brick" act={() => block.mutateAsync(wanted)} onClose={() => setCost(0)}
        />
      )}
    </>
  )
}
