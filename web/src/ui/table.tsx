import type { ReactNode } from 'react'
import style from './table.module.css'

interface Props {
  /** What it is about, for who cannot see where it stands. */
  title: string
  columns: string[]
  /** The first cell names the row. */
  rows: ReactNode[][]
  /** The last row sums up the others. */
  withTotal?: boolean
  'data-testid'?: string
}

/** Figures in rows and columns; what has no room moves sideways by itself, by the keyboard, too. On a telephone each row is a list of its figures. */
export function Table({ title, columns, rows, withTotal = false, ...rest }: Props) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={style.scroll} tabIndex={0} role="region" aria-label={title}>
      <table className={style.table} data-total={withTotal} {...rest}>
        <thead>
          <tr>{columns.map((name) => <th key={name} scope="col">{name}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map(([first, ...cells], place) => (
            <tr key={place}>
              <th scope="row">{first}</th>
              {cells.map((cell, index) => <td key={index} data-column={columns[index + 1]}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
