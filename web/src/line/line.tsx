import { Paper } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useRef, useState, type ReactNode } from 'react'
import type { Registration, Round } from '../api/types'
import { useLanguage } from '../language/language'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { KEY } from '../shortcuts/keys'
import { Num } from '../ui/number'
import { Tag } from '../ui/tag'
import { useKeys } from '../ui/use-keys'
import { useLineRows } from './queries'
import { Reason } from './reason'
import style from './line.module.css'

interface Props {
  round: Round
  myDesk: number | null
  /** What can be done with somebody who waits. */
  action?: ((row: Registration) => ReactNode) | undefined
}

/** A row without tags; each is measured once it is seen. */
const ROW_HEIGHT = 47

/** The line of a round in the order of calling, live; only the rows in sight are asked for and drawn. */
export function Line({ round, myDesk, action }: Props) {
  const { text, format } = useLanguage()
  const { waiting, calling, reached } = round.counts
  const scroller = useRef<HTMLDivElement>(null)
  const [total, setTotal] = useState(waiting + calling)
  // Its functions are called here and nowhere below, so that nothing is remembered wrongly.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: total, estimateSize: () => ROW_HEIGHT, getScrollElement: () => scroller.current, overscan: 12,
  })
  const seen = virtual.getVirtualItems()
  const line = useLineRows(round.id, seen[0]?.index ?? 0, seen.at(-1)?.index ?? 0)
  if (line.total !== undefined && line.total !== total) setTotal(line.total)
  useKeys({ [KEY.line]: () => scroller.current?.focus() })

  return (
    <Paper className={style.line} withBorder component="section" aria-labelledby="line-title">
      <header className={style.header}>
        <h2 id="line-title">{text.line.title}</h2>
        <span data-testid="line-waiting" data-count={waiting}>{text.line.waiting(format.number(waiting))}</span>
        <span>{text.round.reached(format.number(reached))}</span>
      </header>
      <ErrorNotice error={line.error} />
      {total === 0 && <Empty data-testid="line-empty">{text.line.empty}</Empty>}
      <div className={style.table} role="table" aria-labelledby="line-title" aria-rowcount={total + 1} hidden={total === 0}>
        <div role="rowgroup">
          <div className={style.heads} role="row" aria-rowindex={1}>
            <span role="columnheader">{text.line.place}</span>
            <span role="columnheader">{text.line.ticket}</span>
            <span role="columnheader">{text.line.number}</span>
            <span role="columnheader">{text.lineHeads.why}</span>
            <span role="columnheader" className={style.unseen}>{text.lineHeads.more}</span>
          </div>
        </div>
        {/* What scrolls can be scrolled by the keyboard alone. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <div className={style.rows} role="rowgroup" ref={scroller} tabIndex={0} aria-labelledby="line-title">
          <div className={style.all} role="presentation" style={{ height: virtual.getTotalSize() }}>
            {seen.map(({ index, key, start }) => {
              const row = line.row(index)
              return (
                <div
                  key={key} ref={virtual.measureElement} data-index={index} role="row" aria-rowindex={index + 2} className={style.row}
                  style={{ transform: `translateY(${start}px)` }} aria-busy={!row} {...(row && marks(row, myDesk))}
                >
                  {row
                    ? <Row row={row} mine={row.desk_id !== null && row.desk_id === myDesk} action={action} />
                    : <span role="cell" className={style.loading}>{text.rowLoading}</span>}
                </div>
              )
            })}
          </div>
        </div>
      </div>
    </Paper>
  )
}

const marks = (row: Registration, myDesk: number | null) => ({
  'data-testid': 'line-row', 'data-ticket': row.ticket, 'data-state': row.state,
  'data-mine': row.desk_id !== null && row.desk_id === myDesk,
})

interface RowProps {
  row: Registration
  mine: boolean
  action: Props['action']
}

const Row = memo(function Row({ row, mine, action }: RowProps) {
  const { text, format } = useLanguage()
  return (
    <>
      <span role="cell" className={style.place}>{row.place !== null ? format.number(row.place) : '–'}</span>
      <span role="cell" className={style.ticket}><Num>{format.ticket(row.ticket)}</Num></span>
      <span role="cell" className={style.phone}><Num data-number={row.number}>{format.phone(row.number)}</Num></span>
      <span role="cell" className={style.since}>{text.why[row.why](format.moment(row.registered_at))}</span>
      <span role="cell" className={style.badges}>
        {row.state === 'calling' && (
          <Tag tone="accent">
            {text.line.calling}
            {row.desk_id !== null && ` · ${mine ? text.line.atMyDesk : text.line.atDesk(format.number(row.desk_id))}`}
          </Tag>
        )}
        {row.on_the_line && <Tag tone="accent">{text.live.word}</Tag>}
        <Reason registration={row} />
        {row.state === 'waiting' && action?.(row)}
      </span>
    </>
  )
})
