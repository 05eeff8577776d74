import { Anchor, Button, Group, Paper } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { mayMove } from '../api/permissions'
import { pauseRound, resumeRound } from '../api/rounds'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { type Fact, Facts } from '../ui/facts'
import { Tag } from '../ui/tag'
import { FirstOnes } from './first-ones'
import type { LiveLine } from './queries'
import style from './control.module.css'

interface Props {
  lines: LiveLine[]
  me: Me
  now: number
}

/** The lines in which citizens are answered now, or should be. */
export function Lines({ lines, me, now }: Props) {
  const { text } = useLanguage()
  return (
    <section aria-labelledby="lines-title">
      <h2 id="lines-title" className={style.title}>{text.control.lines}</h2>
      <ul className={style.lines}>
        {lines.map((line) => <One key={line.line.round_id} live={line} me={me} now={now} />)}
      </ul>
    </section>
  )
}

function One({ live, me, now }: { live: LiveLine; me: Me; now: number }) {
  const { text, format, office } = useLanguage()
  const [open, setOpen] = useState(false)
  const { line, fits, desks } = live
  const words = text.control
  const left = Math.floor((Date.parse(line.ends_at) - now) / 60_000)
  const facts: Fact[] = [
    [words.waiting, format.number(line.waiting)],
    ...(fits !== null ? [[words.fits, format.number(fits)] as Fact] : []),
    [words.oldest, line.waiting_since ? format.moment(line.waiting_since) : '–'],
    [words.served, line.speaking > 0 ? words.servedNow : live.served_at ? format.moment(live.served_at) : '–'],
    [words.ready, format.number(line.ready)],
    ...(line.is_operators_line ? [[words.onTheLine, format.number(line.on_the_line)] as Fact] : []),
    [words.reached, format.number(line.reached)],
    [words.desks, format.number(desks)],
    ...(line.is_operators_line ? [] : [[left < 0 ? words.overtime : words.left, format.number(Math.abs(left))] as Fact]),
  ]
  return (
    <Paper withBorder component="li" className={style.line} data-testid="control-line" data-id={line.round_id} data-long={fits !== null && line.waiting > fits}>
      <h3 className={style.head}>
        <Anchor className="alone" component={Link} href={`/rounds/${line.round_id}`}>{office(line)}</Anchor>
        {line.phase !== 'live' && <Tag tone="warning">{words.notBegun(format.time(line.starts_at))}</Tag>}
        {line.paused_at && <Tag tone="warning">{words.pausedSince(format.time(line.paused_at))}</Tag>}
      </h3>
      <Facts facts={facts} />
      <Group gap={6}>
        {mayMove(me.role) && line.phase === 'live' && <PauseButton id={line.round_id} paused={line.paused_at !== null} />}
        {line.waiting > 0 && (
          <Button size="compact-sm" variant="subtle" aria-expanded={open} onClick={() => setOpen(!open)} data-testid="first-ones">
            {open ? words.hideFirst : words.showFirst}
          </Button>
        )}
      </Group>
      {open && line.waiting > 0 && <FirstOnes roundId={line.round_id} me={me} />}
    </Paper>
  )
}

function PauseButton({ id, paused }: { id: number; paused: boolean }) {
  const { text } = useLanguage()
  const queries = useQueryClient()
  const turn = useMutation({
    mutationFn: () => (paused ? resumeRound(id) : pauseRound(id)),
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <>
      <Button size="compact-sm" variant={paused ? 'filled' : 'default'} loading={turn.isPending} onClick={() => turn.mutate()} data-testid="pause-round">
        {paused ? text.stage.resume : text.stage.pause}
      </Button>
      <ErrorNotice error={turn.error} />
    </>
  )
}
