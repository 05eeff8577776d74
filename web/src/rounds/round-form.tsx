import { Button, Checkbox, Group, MultiSelect, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { type CityTime, cityTime, toIso } from '../../shared/language/city-time'
import { serverNow } from '../api/clock'
import { planningKey, keys } from '../api/keys'
import type { Official, Round } from '../api/types'
import { count } from '../language/format'
import { useLanguage } from '../language/language'
import { DayPicker } from '../ui/day-picker'
import { ErrorNotice } from '../ui/error-notice'
import { MomentInput, TimeInput } from '../ui/moment-input'
import { Notice } from '../ui/notice'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { endOf, moved, newPlan, others, type Plan, planOf, toCome, toRound } from './plan'
import { changeRound, makeRound, useDay } from './queries'
import moment from '../ui/moment-input.module.css'
import cards from '../ui/cards.module.css'

interface Props {
  /** The round to change; none to make a new one. */
  round?: Round
  /** On which day a new one is thought of. */
  day?: string
  officials: Official[]
  onClose: () => void
}

/** Making a round, or changing one: of one that has begun, what is still to come. */
export function RoundForm({ round, day, officials, onClose }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.rounds.form
  const queries = useQueryClient()
  const [plan, setPlan] = useState<Plan>(() => (round ? planOf(round) : newPlan(String(officials.find(({ active }) => active)?.id ?? ''), day)))
  const [reason, setReason] = useState('')
  const set = (part: Partial<Plan>) => setPlan((before) => ({ ...before, ...part }))
  const body = toRound(plan)
  const begun = round?.phase === 'live'
  const there = useDay(begun ? '' : plan.start.day).data
  const besides = there ? others(there, round) : 0
  const save = useMutation({
    mutationFn: (wanted: NonNullable<typeof body>) =>
      round ? changeRound(round.id, { ...(begun ? toCome(wanted) : wanted), reason }) : makeRound(wanted),
    onSuccess: async () => {
      await Promise.all([keys.rounds, planningKey].map((queryKey) => queries.invalidateQueries({ queryKey })))
      onClose()
    },
  })
  const { missing, choose } = text.fields
  const wrongTime = (value: CityTime | null) => value !== null && !toIso(value) && text.time.wrong
  const shown = <T,>(lacking: T) => (begun ? undefined : lacking)
  const { at, rest, send } = useFields({
    official_id: shown(!plan.official && choose), substitute_id: null, deputy_ids: null,
    starts_at: shown(wrongTime(plan.start)), ends_at: wrongTime(plan.end),
    registration_from: shown(wrongTime(plan.registrationFrom)), registration_until: wrongTime(plan.registrationUntil),
    announce_at: plan.announce ? shown(wrongTime(plan.announce)) : undefined,
    capacity: plan.capacity.trim() !== '' && count(plan.capacity) === null && words.wrongNumber,
    minutes: count(plan.minutes) === null && words.wrongNumber, languages: !plan.languages.length && choose,
    reason: round ? !reason.trim() && missing : undefined, short_notice: shown(null),
  }, save.error)
  const choices = officials.filter(({ active, id }) => active || id === round?.official.id).map((official) => ({ value: String(official.id), label: office(official) }))

  return (
    <Sheet title={round ? words.changeTitle : words.makeTitle} close={text.dialog.keep} onClose={onClose}>
      <form
        className={cards.form} noValidate data-testid="round-form"
        onSubmit={(event) => {
          event.preventDefault()
          send(() => body && save.mutate(body))
        }}
      >
        <div className={cards.pair}>
          <NativeSelect
            {...at('official_id')} label={words.official} value={plan.official} data={choices} disabled={round !== undefined} data-testid="official"
            onChange={(event) => set({ official: event.currentTarget.value })}
          />
          <NativeSelect
            {...at('substitute_id')} label={words.substitute} value={plan.substitute} data={[{ value: '', label: words.nobody }, ...choices]}
            onChange={(event) => set({ substitute: event.currentTarget.value })}
          />
        </div>
        <MultiSelect
          {...at('deputy_ids')} label={words.deputies} value={plan.deputies} data={choices} searchable clearable
          onChange={(deputies) => set({ deputies })}
        />
        <div className={moment.moment}>
          {!begun && <DayPicker label={words.day} day={plan.start.day} testId="day" onChange={(day) => setPlan(moved(plan, day))} />}
          {!begun && <TimeInput {...at('starts_at')} label={words.from} value={plan.start} testId="start" onChange={(start) => set({ start })} />}
          <TimeInput {...at('ends_at')} label={words.until} description={endOf(plan).day > plan.start.day ? words.nextDay : '\u00a0'} value={plan.end} testId="end" onChange={(end) => set({ end })} />
        </div>
        <div role="status" className="live">
          {besides > 0 && <Notice tone="plain" data-testid="others">{words.others(format.number(besides))}</Notice>}
        </div>
        <div className={cards.pair}>
          {!begun && (
            <MomentInput
              {...at('registration_from')} label={words.registrationFrom} value={plan.registrationFrom} testId="registration-from"
              onChange={(registrationFrom) => set({ registrationFrom })}
            />
          )}
          <MomentInput
            {...at('registration_until')} label={words.registrationUntil} value={plan.registrationUntil} testId="registration-until"
            onChange={(registrationUntil) => set({ registrationUntil })}
          />
        </div>
        {!begun && (
          <Checkbox
            label={words.atOnce} checked={plan.announce === null}
            onChange={(event) => set({ announce: event.currentTarget.checked ? null : cityTime(serverNow()) })}
          />
        )}
        {!begun && plan.announce && (
          <MomentInput {...at('announce_at')} label={words.announce} value={plan.announce} testId="announce" onChange={(announce) => set({ announce })} />
        )}
        <div className={cards.pair}>
          <TextInput
            {...at('capacity')} label={words.capacity} placeholder={words.capacityHelp} value={format.digits(plan.capacity)} inputMode="numeric" data-testid="capacity"
            error={plan.capacity.trim() && count(plan.capacity) === null ? words.wrongNumber : null}
            onChange={(event) => set({ capacity: event.currentTarget.value })}
          />
          <TextInput
            {...at('minutes')} label={words.minutes} value={format.digits(plan.minutes)} inputMode="numeric" data-testid="minutes"
            error={count(plan.minutes) === null ? words.wrongNumber : null}
            onChange={(event) => set({ minutes: event.currentTarget.value })}
          />
        </div>
        <Checkbox.Group error={at('languages').error} label={text.rounds.languages} value={plan.languages} onChange={(languages) => set({ languages })}>
          <Group mt={4}>
            {(['fa', 'en'] as const).map((code) => <Checkbox key={code} value={code} label={text.rounds.language[code]} />)}
          </Group>
        </Checkbox.Group>
        <Checkbox
          label={words.recorded} checked={plan.recorded} data-testid="recorded"
          onChange={(event) => set({ recorded: event.currentTarget.checked })}
        />
        {round && (
          <Textarea
            {...at('reason')} label={text.dialog.reason} description={text.rounds.reasonPublic} value={reason} maxLength={500} data-testid="reason"
            autosize minRows={2} onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {!begun && (
          <Checkbox
            {...at('short_notice')} label={words.shortNotice} checked={plan.shortNotice} data-testid="short-notice"
            onChange={(event) => set({ shortNotice: event.currentTarget.checked })}
          />
        )}
        <ErrorNotice error={rest} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.dialog.keep}</Button>
          <Button
            type="submit" data-testid="save-round" loading={save.isPending}
          >
            {words.save}
          </Button>
        </Group>
      </form>
    </Sheet>
  )
}
