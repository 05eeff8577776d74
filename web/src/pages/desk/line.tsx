import { Button, Paper } from '@mantine/core'
import { memo, type ReactNode } from 'react'
import type { Registration, Round } from '../../api/calls'
import { LINE_PAGE, useLine } from '../../api/queries'
import { useLanguage } from '../../language/language'
import { Complaint } from '../../ui/complaint'
import { Num } from '../../ui/number'
import { Tag } from '../../ui/tag'
import { Waiting } from '../../ui/waiting'
import { Reason } from './reason'
import style from './line.module.css'

interface Props {
  round: Round
  myDesk: number | null
  /** What can be done with somebody who waits. */
  action?: ((row: Registration) => ReactNode) | undefined
}

/** The line of a round in the order of calling, live. */
export function Line({ round, myDesk, action }: Props) {
  const { text, format } = useLanguage()
  const line = useLine(round.id)
  const rows = (line.data?.pages ?? [])
    .flatMap((page) => page.items)
    .filter((item) => item.state === 'waiting' || item.state === 'calling')

  return (
    <Paper className={style.line} withBorder component="section" aria-labelledby="line-title">
      <header className={style.header}>
        <h2 id="line-title">{text.line.title}</h2>
        <span>{text.line.waiting(format.number(round.counts.waiting))}</span>
        <span>{text.round.reached(format.number(round.counts.reached))}</span>
      </header>
      {line.isPending && <Waiting />}
      <Complaint error={line.isPending ? null : line.error} />
      {line.data && rows.length === 0 && <p className={style.empty} data-testid="line-empty">{text.line.empty}</p>}
      {rows.length > 0 && (
        <div className={style.heads} aria-hidden>
          <span>{text.line.place}</span>
          <span>{text.line.ticket}</span>
          <span>{text.line.number}</span>
          <span>{text.line.since}</span>
        </div>
      )}
      {/* A list that scrolls can be scrolled by the keyboard alone. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <ol className={style.rows} tabIndex={0} aria-labelledby="line-title">
        {rows.map((row) => <Row key={row.id} row={row} mine={row.desk_id !== null && row.desk_id === myDesk} action={action} />)}
      </ol>
      {line.hasNextPage && (
        <Button variant="subtle" fullWidth loading={line.isFetchingNextPage} onClick={() => void line.fetchNextPage()}>
          {text.line.more(format.number(LINE_PAGE))}
        </Button>
      )}
    </Paper>
  )
}

interface RowProps {
  row: Registration
  mine: boolean
  action: Props['action']
}

const Row = memo(function Row({ row, mine, action }: RowProps) {
  const { text, format } = useLanguage()
  const calling = row.state === 'calling'
  return (
    <li className={style.row} data-testid="line-row" data-ticket={row.ticket} data-state={row.state} data-mine={mine}>
      <span className={style.place}>{row.place !== null ? format.number(row.place) : '–'}</span>
      <span className={style.ticket}><Num>{format.ticket(row.ticket)}</Num></span>
      <span className={style.phone}><Num data-number={row.number}>{format.phone(row.number)}</Num></span>
      <span className={style.since}>{format.moment(row.registered_at)}</span>
      <span className={style.badges}>
        {calling && (
          <Tag tone="now">
            {text.line.calling}
            {row.desk_id !== null && ` · ${mine ? text.line.atMyDesk : text.line.atDesk(format.number(row.desk_id))}`}
          </Tag>
        )}
        <Reason registration={row} />
        {row.state === 'waiting' && action?.(row)}
      </span>
    </li>
  )
})
