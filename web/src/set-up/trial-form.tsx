import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useFields } from '../ui/use-fields'
import { type Trial, useTrial } from './queries'
import style from '../ui/rows.module.css'

interface Props {
  label: string
  action: string
  act: (trial: Trial) => Promise<unknown>
  testId: string
}

/** A number at which something is tried. */
export function TrialForm({ label, action, act, testId }: Props) {
  const { text, format, code } = useLanguage()
  const [number, setNumber] = useState('')
  const trial = useTrial(act)
  const { at, rest, send } = useFields({ number: !number.trim() && text.fields.missing }, trial.error)
  return (
    <form className={style.form} noValidate data-testid={testId} onSubmit={(event) => {
      event.preventDefault()
      if (!trial.isPending) send(() => trial.mutate({ number, language: code }))
    }}>
      <div className={style.bar}>
        <TextInput
          {...at('number')} label={label} value={format.digits(number)} maxLength={40} dir="ltr" inputMode="tel" data-testid={`${testId}-number`}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
        <Button type="submit" variant="light" loading={trial.isPending} data-testid={`${testId}-go`}>{action}</Button>
      </div>
      <ErrorNotice error={rest} />
    </form>
  )
}
