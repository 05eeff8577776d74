import { useLanguage } from '../language/language'
import { ReasonDialog } from '../ui/reason-dialog'
import { free, sendWord, type LiveDesk } from './queries'

interface FreeProps {
  callbackId: number
  ticket: string
  onClose: () => void
}

/** Takes a citizen from a desk that does not come back to them. */
export function FreeDialog({ callbackId, ticket, onClose }: FreeProps) {
  const { text, format } = useLanguage()
  const words = text.control
  return (
    <ReasonDialog
      title={words.freeTitle(format.ticket(ticket))} help={words.freeHelp} action={words.free} color="brick" about={text.retention.reasonLogged}
      longest={400} act={(reason) => free(callbackId, reason)} onClose={onClose}
    />
  )
}

/** A short word, which stands on the desk's page until it is read. */
export function WordDialog({ desk, onClose }: { desk: LiveDesk; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.control
  return (
    <ReasonDialog
      title={words.wordTitle(format.number(desk.desk_id))} help={words.wordHelp} action={words.sendWord} label={words.word} about={text.retention.reasonLogged}
      longest={300} field="text" act={(said) => sendWord(desk.desk_id, said)} onClose={onClose}
    />
  )
}
