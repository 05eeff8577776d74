import { Paper } from '@mantine/core'
import type { ReactNode } from 'react'
import { useLanguage } from '../language/language'
import { Latin } from '../ui/number'
import { Tag } from '../ui/tag'
import rows from '../ui/rows.module.css'
import style from './set-up.module.css'

const TONES = { well: 'good', missing: 'warning', untried: 'warning', trouble: 'apart' } as const

const SETTINGS = '/etc/hotline137/hotline.env'

interface Props {
  name: 'city' | 'trunk' | 'texts' | 'voice' | 'backup'
  state: keyof typeof TONES
  children: ReactNode
}

/** One thing that an installation needs, and whether it is there. */
export function Section({ name, state, children }: Props) {
  const { text: { setUp: words } } = useLanguage()
  return (
    <Paper withBorder component="section" className={`${rows.card} ${rows.form}`} aria-label={words.sections[name]} data-testid={`set-up-${name}`} data-state={state}>
      <div className={style.head}>
        <h2>{words.sections[name]}</h2>
        <Tag tone={TONES[state]}>{words.states[state]}</Tag>
      </div>
      {children}
    </Paper>
  )
}

/** What a person writes into the settings' file, or types: the page writes none of it. */
export function Lines({ help, lines }: { help: string; lines: string[] }) {
  const { text: { setUp: words } } = useLanguage()
  return (
    <details>
      <summary className={style.more}>{help}</summary>
      <p className={rows.soft}>{words.linesHelp} <Latin>{SETTINGS}</Latin></p>
      <pre dir="ltr" className={style.lines}>{lines.join('\n')}</pre>
    </details>
  )
}
