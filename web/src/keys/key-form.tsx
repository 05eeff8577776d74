import { Checkbox, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { latinDigits } from '../../shared/language/digits'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { type IssuedKey, issueKey, type Scope } from './queries'

const SCOPES: Scope[] = ['read', 'report']
const MOST_A_MINUTE = 6000

/** Issuing a key: whose it is, what it may, how often. */
export function KeyForm({ onIssued, onClose }: { onIssued: (made: IssuedKey) => void; onClose: () => void }) {
  const { text, format } = useLanguage()
  const words = text.apiKeys
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>([])
  const [rate, setRate] = useState('60')
  const perMinute = Number(rate)
  const isRate = /^\d{1,4}$/.test(rate) && perMinute >= 1 && perMinute <= MOST_A_MINUTE
  const may = SCOPES.filter((scope) => scopes.includes(scope))
  return (
    <ConfirmDialog
      title={words.add} action={words.save} onClose={onClose} onDone={onIssued}
      lacking={{ name: !name.trim() && text.fields.missing, scopes: may.length === 0 && words.noScope, per_minute: !isRate && words.perMinuteWrong }}
      act={() => issueKey({ name: name.trim(), scopes: may, per_minute: perMinute })}
    >
      {(at) => (
        <>
          <TextInput
            {...at('name')} label={words.name} value={name} maxLength={100} data-autofocus data-testid="key-name"
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Checkbox.Group {...at('scopes')} label={words.scopes} value={scopes} onChange={setScopes}>
            <Stack gap="xs" mt="xs">
              {SCOPES.map((scope) => <Checkbox key={scope} value={scope} label={words.scope[scope]} data-testid={`may-${scope}`} />)}
            </Stack>
          </Checkbox.Group>
          <TextInput
            {...at('per_minute')} label={words.perMinute} value={format.digits(rate)} maxLength={4} inputMode="numeric" data-testid="per-minute"
            onChange={(event) => setRate(latinDigits(event.currentTarget.value))}
          />
        </>
      )}
    </ConfirmDialog>
  )
}
