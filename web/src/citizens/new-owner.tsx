import { Button } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import type { Of } from '../requests/masked-number'
import { ReasonDialog } from '../ui/reason-dialog'
import { toNewOwner } from './queries'

/** The telephone company gave the number to somebody else: all of the person before is separated from it. */
export function NewOwner({ of, id, onGone }: { of: Of; id: number; onGone: () => void }) {
  const { text: { citizens: words } } = useLanguage()
  const [asked, setAsked] = useState(false)
  const act = async (reason: string) => {
    await toNewOwner(of, id, reason)
    onGone()
  }
  return (
    <>
      <Button variant="default" size="compact-sm" onClick={() => setAsked(true)} data-testid="new-owner">{words.newOwner}</Button>
      {asked && (
        <ReasonDialog
          title={words.newOwner} help={words.newOwnerHelp} action={words.newOwnerDo} color="red" about={words.newOwnerWhy} longest={400}
          act={act} onClose={() => setAsked(false)}
        />
      )}
    </>
  )
}
