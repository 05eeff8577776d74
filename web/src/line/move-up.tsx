import type { Registration } from '../api/types'
import { useLanguage } from '../language/language'
import { ReasonDialog } from '../ui/reason-dialog'
import { moveUp } from './queries'

/** Puts somebody who waits before the others, with a reason that citizens read. */
export function MoveUpDialog({ registration, onClose }: { registration: Registration; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.rounds
  return (
    <ReasonDialog
      title={words.moveUpTitle(format.ticket(registration.ticket))} help={words.moveUpHelp} action={words.moveUp} about={text.rounds.reasonPublic}
      act={(reason) => moveUp(registration.id, reason)} onClose={onClose}
    />
  )
}
