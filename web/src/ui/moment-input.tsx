import { TextInput } from '@mantine/core'
import { type CityTime, toIso } from '../../shared/language/city-time'
import { useLanguage } from '../language/language'
import { DayPicker } from './day-picker'
import style from './moment-input.module.css'

interface TimeProps {
  label: string
  value: CityTime
  testId: string
  onChange: (value: CityTime) => void
  /** What is said beside the hour. */
  description?: string | null
  error?: string | null
  'data-form'?: string
  'data-field'?: string
}

/** A time of day, in any digits. */
export function TimeInput({ label, value, testId, onChange, error = null, ...rest }: TimeProps) {
  const { text, format } = useLanguage()
  return (
    <TextInput
      {...rest} inputWrapperOrder={['label', 'input', 'description', 'error']} label={label} value={format.digits(value.time)} data-testid={testId} maxLength={5} inputMode="numeric"
      className={style.time} error={toIso(value) ? error : text.time.wrong}
      onChange={(event) => onChange({ ...value, time: event.currentTarget.value })}
    />
  )
}

/** A day and a time of day. */
export function MomentInput({ label, value, testId, onChange, ...rest }: TimeProps) {
  const { text } = useLanguage()
  return (
    <div className={style.moment}>
      <DayPicker label={label} day={value.day} testId={`${testId}-day`} onChange={(day) => onChange({ ...value, day })} />
      <TimeInput label={text.time.hour} value={value} testId={`${testId}-time`} onChange={onChange} {...rest} />
    </div>
  )
}
