import { Button } from '@mantine/core'
import { Suspense, useState } from 'react'
import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { part } from '../ui/part'
import { useKeys } from '../ui/use-keys'

const WriteForm = part(async () => ({ default: (await import('./write-form')).WriteForm }))

/** At the desk, during or after a conversation: the citizen's problem is written down, and referred with a due date. */
export function ReferButton({ registration, noteSoFar }: { registration: Registration; noteSoFar: () => string }) {
  const { text } = useLanguage()
  const [open, setOpen] = useState(false)
  useKeys({ [KEY.refer]: () => setOpen(true) })
  return (
    <>
      <Button
        variant="default" onClick={() => setOpen(true)} aria-keyshortcuts={KEY.refer} data-testid="refer-to-department"
        rightSection={<Key>{KEY.refer}</Key>} style={{ alignSelf: 'start' }}
      >
        {text.requests.atDesk}
      </Button>
      {open && <Suspense><WriteForm registration={registration} noteSoFar={noteSoFar} onClose={() => setOpen(false)} /></Suspense>}
    </>
  )
}
