import { Button } from '@mantine/core'
import { useState } from 'react'
import { mayMove } from '../api/permissions'
import type { Me, Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { MoveUpDialog } from '../line/move-up'
import { useLineRows } from '../line/queries'
import { Reason } from '../line/reason'
import { Num } from '../ui/number'
import style from './control.module.css'

const SHOWN = 8

/** Who is called next, without their numbers; the whole line is on the round's page. */
export function FirstOnes({ roundId, me }: { roundId: number; me: Me }) {
  const { text, format } = useLanguage()
  const line = useLineRows(roundId, 0, SHOWN - 1)
  const [moved, setMoved] = useState<Registration | null>(null)
  const rows = Array.from({ length: SHOWN }, (_, index) => line.row(index)).filter((row) => row !== undefined)
  return (
    <>
      <ol className={style.first} aria-label={text.line.title} data-testid="first-rows">
        {rows.map((row) => (
          <li key={row.id} className={style.waits}>
            <Num>{format.ticket(row.ticket)}</Num>
            <span>{text.why[row.why](format.moment(row.registered_at))}</span>
            <Reason registration={row} />
            {mayMove(me.role) && row.state === 'waiting' && row.why !== 'moved-up' && (
              <Button
                size="compact-xs" variant="subtle" ms="auto" onClick={() => setMoved(row)} data-testid="move-up"
                aria-label={text.rounds.moveUpTitle(format.ticket(row.ticket))}
              >
                {text.rounds.moveUp}
              </Button>
            )}
          </li>
        ))}
      </ol>
      {moved && <MoveUpDialog registration={moved} onClose={() => setMoved(null)} />}
    </>
  )
}
