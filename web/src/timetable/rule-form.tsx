import { Button, Checkbox, Chip, Group, Input, MultiSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { clockOf, endsNextDay } from '../../shared/language/city-time'
import type { Official } from '../api/types'
import { count } from '../language/format'
import { useLanguage } from '../language/language'
import { DayPicker } from '../ui/day-picker'
import { ErrorNotice } from '../ui/error-notice'
import { TimeInput } from '../ui/moment-input'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { InTurn } from './in-turn'
import { addRule, changeRule, type Rule, type RuleIn } from './queries'
import { newRule, type RulePlan, ruleOf, toRule } from './rule-plan'
import { dayNamed, WEEK } from './week'
import cards from '../ui/cards.module.css'
import style from './timetable.module.css'

interface Props {
  /** The rule to change; none to add one. */
  rule?: Rule
  officials: Official[]
  today: string
  onClose: () => void
}

type Numeral = 'atOnce' | 'announceDays' | 'registrationDays' | 'minutes' | 'capacity'

const FIELD: Record<Numeral, string> = {
  atOnce: 'at_once', announceDays: 'announce_days', registrationDays: 'registration_days', minutes: 'minutes', capacity: 'capacity',
}

/** Adding a rule, or changing what may be changed of one. */
export function RuleForm({ rule, officials, today, onClose }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.rules.form
  const queries = useQueryClient()
  const [plan, setPlan] = useState<RulePlan>(() => (rule ? ruleOf(rule) : newRule(today)))
  const [reason, setReason] = useState('')
  const set = (part: Partial<RulePlan>) => setPlan((before) => ({ ...before, ...part }))
  const body = toRule(plan)
  const save = useMutation({
    mutationFn: (wanted: RuleIn) => (rule ? changeRule(rule.id, { ...wanted, active: true, reason: reason.trim() }) : addRule(wanted)),
    onSuccess: async () => {
      await queries.invalidateQueries()
      onClose()
    },
  })
  const { missing, choose } = text.fields
  const [from, until] = [clockOf(plan.start.time), clockOf(plan.end.time)]
  const wrong = (name: Numeral) => (name !== 'capacity' || plan[name].trim() !== '') && count(plan[name]) === null && text.rounds.form.wrongNumber
  const { at, rest, send } = useFields({
    name: !plan.name.trim() && missing, rrule: rule ? undefined : !plan.days.length && choose, starts_at: !from && text.time.wrong,
    ends_at: (!until && text.time.wrong) || (from !== null && until === from && text.problem['rule-hours']),
    official_ids: !plan.officials.length && choose, deputy_ids: null, at_once: wrong('atOnce'), minutes: wrong('minutes'),
    announce_days: wrong('announceDays'), registration_days: wrong('registrationDays'), capacity: wrong('capacity'),
    languages: !plan.languages.length && choose, reason: rule ? !reason.trim() && missing : undefined,
  }, save.error)
  const numeral = (name: Numeral, label: string, placeholder?: string) => (
    <TextInput
      label={label} placeholder={placeholder} value={format.digits(plan[name])} inputMode="numeric" data-testid={name} maxLength={7}
      {...at(FIELD[name])} error={wrong(name) || at(FIELD[name]).error}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  )
  return (
    <Sheet title={rule ? text.rules.change : text.rules.add} close={text.dialog.keep} onClose={onClose}>
      <form
        className={cards.form} noValidate data-testid="rule-form"
        onSubmit={(event) => {
          event.preventDefault()
          send(() => body && save.mutate(body))
        }}
      >
        <TextInput {...at('name')} label={words.name} value={plan.name} maxLength={200} data-autofocus data-testid="rule-name" onChange={(event) => set({ name: event.currentTarget.value })} />
        {rule ? <p className={cards.more}>{words.daysStay}</p> : (
          <>
            <div role="group" aria-labelledby="rule-days">
              <p id="rule-days" className={cards.label}>{words.days}</p>
              <Group gap={6}>
                <Chip.Group multiple value={plan.days} onChange={(days) => set({ days })}>
                  {WEEK.map((day) => <Chip key={day} value={day} data-testid={`day-${day}`}>{format.weekday(dayNamed(day))}</Chip>)}
                </Chip.Group>
              </Group>
              <Input.Error>{at('rrule').error}</Input.Error>
            </div>
            <DayPicker label={words.startsOn} day={plan.startsOn} testId="starts-on" onChange={(startsOn) => set({ startsOn })} />
          </>
        )}
        <div className={style.pair}>
          <TimeInput {...at('starts_at')} label={text.rounds.form.from} value={plan.start} testId="start" onChange={(start) => set({ start })} />
          <TimeInput {...at('ends_at')} label={text.rounds.form.until} description={endsNextDay(from, until) ? text.rounds.form.nextDay : '\u00a0'} value={plan.end} testId="end" onChange={(end) => set({ end })} />
        </div>
        <InTurn at={at} officials={officials} chosen={plan.officials} onChange={(chosen) => set({ officials: chosen })} />
        <MultiSelect
          {...at('deputy_ids')} label={text.rounds.form.deputies} value={plan.deputies} searchable clearable onChange={(deputies) => set({ deputies })}
          data={officials.filter(({ active }) => active).map((one) => ({ value: String(one.id), label: office(one) }))}
        />
        <div className={cards.pair}>
          {numeral('atOnce', words.atOnce)}
          {numeral('minutes', text.rounds.form.minutes)}
          {numeral('announceDays', words.announceDays)}
          {numeral('registrationDays', words.registrationDays)}
          {numeral('capacity', text.rounds.form.capacity, text.rounds.form.capacityHelp)}
        </div>
        <Checkbox.Group error={at('languages').error} label={text.rounds.languages} value={plan.languages} onChange={(languages) => set({ languages })}>
          <Group mt={4}>
            {(['fa', 'en'] as const).map((code) => <Checkbox key={code} value={code} label={text.rounds.language[code]} />)}
          </Group>
        </Checkbox.Group>
        <Checkbox label={text.rounds.form.recorded} checked={plan.recorded} onChange={(event) => set({ recorded: event.currentTarget.checked })} />
        {rule && (
          <Textarea
            {...at('reason')} label={text.dialog.reason} description={words.effect} value={reason} maxLength={500} autosize minRows={2} data-testid="reason"
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        <ErrorNotice error={rest} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.dialog.keep}</Button>
          <Button type="submit" loading={save.isPending} data-testid="save-rule">{text.rounds.form.save}</Button>
        </Group>
      </form>
    </Sheet>
  )
}
