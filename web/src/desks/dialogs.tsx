import { Button, Group, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Outcome } from '../api/types'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { Dialog } from '../ui/dialog'
import { outcomesOf } from '../shortcuts/keys'
import { type DeskPlace, readAccount, sayOutcome, setDeskPhone } from './queries'
import style from '../ui/rows.module.css'

interface Props {
  desk: DeskPlace
  onClose: () => void
}

const KINDS = ['browser', 'sip', 'number'] as const

/** Which phone the desk has. */
export function PhoneDialog({ desk, onClose }: Props) {
  const { text, format } = useLanguage()
  const words = text.deskList
  const [phone, setPhone] = useState(desk.phone)
  const [number, setNumber] = useState(desk.number ?? '')
  return (
    <ConfirmDialog
      title={words.changePhoneOf(format.number(desk.id))} action={text.people.save} lacking={{ number: phone === 'number' ? !number.trim() && text.fields.missing : undefined }}
      act={() => setDeskPhone(desk.id, { phone, number })} onClose={onClose}
    >
      {(at) => (
        <>
          <NativeSelect
            aria-label={words.changePhone} value={phone} data-testid="phone-kind" data={KINDS.map((value) => ({ value, label: words.phone[value] }))}
            onChange={(event) => setPhone(event.currentTarget.value as typeof phone)}
          />
          {phone === 'number' && (
            <TextInput
              {...at('number')} label={words.number} description={words.numberHelp} value={format.digits(number)} maxLength={40} dir="ltr" inputMode="tel"
              data-testid="desk-number" onChange={(event) => setNumber(event.currentTarget.value)}
            />
          )}
        </>
      )}
    </ConfirmDialog>
  )
}

/** The account of the desk's SIP phone: asking for it is written down before it is shown. */
export function AccountDialog({ desk, onClose }: Props) {
  const { text, format } = useLanguage()
  const words = text.deskList
  const [account, setAccount] = useState<Awaited<ReturnType<typeof readAccount>> | null>(null)
  const title = words.accountOf(format.number(desk.id))
  if (!account) {
    return <ConfirmDialog title={title} help={words.accountHelp} action={words.accountShow} act={() => readAccount(desk.id)} onDone={setAccount} onClose={onClose} />
  }
  const facts = (['username', 'password', 'server', 'extension'] as const).map((name) => [words[name], account[name]] as const)
  return (
    <Dialog opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': words.close }}>
      <dl className={style.form}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className={style.soft}>{name}</dt>
            <dd className={style.secret} dir="ltr" style={{ margin: 0 }}>{value}</dd>
          </div>
        ))}
      </dl>
      <Group justify="flex-end"><Button onClick={onClose}>{words.close}</Button></Group>
    </Dialog>
  )
}

const choicesOf = (inHand: NonNullable<DeskPlace['in_hand']>): Outcome[] =>
  inHand.state === 'claimed' ? ['returned'] : outcomesOf(inHand).map(([outcome]) => outcome)

/** What became of a citizen whom the desk's person left without a word. */
export function OutcomeDialog({ desk, onClose }: { desk: Pick<DeskPlace, 'id' | 'in_hand'>; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.deskList
  const [inHand] = useState(desk.in_hand) // of this citizen, whoever comes meanwhile
  const choices = inHand ? choicesOf(inHand) : []
  const [outcome, setOutcome] = useState<Outcome>(choices[0] ?? 'call_again')
  const [reason, setReason] = useState('')
  if (!inHand) return null
  return (
    <ConfirmDialog
      title={words.sayOutcome} help={words.sayOutcomeHelp(format.ticket(inHand.ticket))} action={words.sayOutcome} lacking={{ reason: !reason.trim() && text.fields.missing }}
      act={() => sayOutcome(desk.id, inHand.callback_id, outcome, reason)} onClose={onClose}
    >
      {(at) => (
        <>
          <NativeSelect
            label={words.outcome} value={outcome} data-testid="said-outcome" data={choices.map((value) => ({ value, label: text.outcome[value] }))}
            onChange={(event) => setOutcome(event.currentTarget.value as Outcome)}
          />
          <Textarea
            {...at('reason')} label={text.dialog.reason} description={text.retention.reasonLogged} value={reason} maxLength={400} autosize minRows={2} data-testid="reason"
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        </>
      )}
    </ConfirmDialog>
  )
}
