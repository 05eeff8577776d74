import type { ReactNode } from 'react'
import style from './facts.module.css'

/** A minor one belongs to the one above it. */
export type Fact = [name: string, value: ReactNode, minor?: boolean]

interface Props {
  facts: Fact[]
  /** Each in a line of its own; otherwise as many beside each other as there is room for. */
  inLines?: boolean
}

/** What is known of one thing. */
export function Facts({ facts, inLines = false }: Props) {
  return (
    <dl className={inLines ? style.lines : style.beside}>
      {facts.map(([name, value, minor = false]) => (
        <div key={`${minor} ${name}`} data-minor={minor}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
