import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type CallTrial, useTrial } from './queries'
import style from '../ui/rows.module.css'

interface Props {
  label: string
  action: string
  act: (trial: CallTrial) => Promise<unknown>
  testId: string
  /** By which of these it may be tried alone. */
  trunks?: string[]
}

/** A number at which something is tried. */
export function TrialForm({ label, action, act, testId, trunks = [] }: Props) {
  const { text, format, code } = useLanguage()
  const [number, setNumber] = useState('')
  const [trunk, setTrunk] = useState('')
  const trial = useTrial(act)
  const { at, rest, send } = useFields({ number: !number.trim() && text.fields.missing }, trial.error)
  return (
    <form className={style.form} noValidate data-testid={testId} onSubmit={(event) => {
      event.preventDefault()
      if (!trial.isPending) send(() => trial.mutate({ number, language: code, trunk }))
    }}>
      <div className={style.bar}>
        <TextInput
          {...at('number')} label={label} value={format.digits(number)} maxLength={40} dir="ltr" inputMode="tel" data-testid={`${testId}-number`}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
        {trunks.length > 1 && (
          <NativeSelect
            label={text.setUp.byTrunk} value={trunk} data={[{ value: '', label: text.setUp.anyTrunk }, ...trunks]} data-testid={`${testId}-trunk`}
            onChange={(event) => setTrunk(event.currentTarget.value)}
          />
        )}
        <Button type="submit" variant="light" loading={trial.isPending} data-testid={`${testId}-go`}>{action}</Button>
      </div>
      <ErrorNotice error={rest} />
    </form>
  )
}
