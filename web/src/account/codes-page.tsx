import { Paper } from '@mantine/core'
import { Codes } from './codes'
import style from './account.module.css'

/** Whatever refreshes behind it, it stays until its person has noted the codes. */
export default function CodesPage({ codes }: { codes: string[] }) {
  return (
    <main className={style.codesPage}>
      <Paper className={style.codesCard} withBorder p="xl" radius="lg"><Codes codes={codes} /></Paper>
    </main>
  )
}
