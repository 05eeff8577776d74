import { Button, Checkbox, Group, NativeSelect, Radio, Stack, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { clockOf, endsNextDay } from '../../shared/language/city-time'
import { useOfficials } from '../api/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { TimeInput } from '../ui/moment-input'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { type CalendarDay, type DayOverride, overrideDay, type Rule } from './queries'
import style from './timetable.module.css'

type Way = 'dropped' | 'hours' | 'substitute' | 'usual'
const WAYS: Way[] = ['dropped', 'hours', 'substitute', 'usual']

interface Props {
  rule: Rule
  day: CalendarDay
  onClose: () => void
}

/** What is different on one day of a rule, and why. */
export function DayOverrideForm({ rule, day, onClose }: Props) {
  const { text, format, office } = useLanguage()
  const words = text.timetable
  const queries = useQueryClient()
  const { data: officials = [] } = useOfficials()
  const before = day.day_overrides.find(({ rule_id }) => rule_id === rule.id)
  const [way, setWay] = useState<Way>('dropped')
  const [start, setStart] = useState({ day: day.day, time: (before?.starts_at ?? rule.starts_at).slice(0, 5) })
  const [end, setEnd] = useState({ day: day.day, time: (before?.ends_at ?? rule.ends_at).slice(0, 5) })
  const [substitute, setSubstitute] = useState('')
  const [reason, setReason] = useState('')
  const [shortNotice, setShortNotice] = useState(false)
  const hours = { starts_at: clockOf(start.time), ends_at: clockOf(end.time) }
  const save = useMutation({
    mutationFn: () => {
      const said: DayOverride = { day: day.day, reason: reason.trim(), dropped: way === 'dropped', short_notice: shortNotice }
      // What is said replaces what was said before: the other difference is said again.
      if (way === 'hours') Object.assign(said, hours, { substitute_id: before?.substitute_id })
      if (way === 'substitute') {
        Object.assign(said, { starts_at: before?.starts_at, ends_at: before?.ends_at, substitute_id: Number(substitute) })
      }
      return overrideDay(rule.id, said)
    },
    onSuccess: async () => {
      await queries.invalidateQueries()
      onClose()
    },
  })
  const { missing, choose } = text.fields
  const { starts_at, ends_at } = hours
  const same = starts_at !== null && ends_at === starts_at && text.problem['rule-hours']
  const { at, rest, send } = useFields({
    starts_at: way === 'hours' ? !starts_at && text.time.wrong : undefined,
    ends_at: way === 'hours' ? (!ends_at && text.time.wrong) || same : undefined,
    substitute_id: way === 'substitute' ? !substitute && choose : undefined,
    reason: !reason.trim() && missing, short_notice: way === 'hours' ? null : undefined,
  }, save.error)
  return (
    <Sheet title={words.differentTitle(rule.name, format.longDate(day.day))} close={text.dialog.keep} onClose={onClose}>
      <Stack gap="md">
        <Radio.Group label={words.how} value={way} onChange={setWay}>
          <Stack gap={8} mt={8}>
            {WAYS.map((one) => <Radio key={one} value={one} label={words.ways[one]} data-testid={`way-${one}`} />)}
          </Stack>
        </Radio.Group>
        {way === 'hours' && (
          <div className={style.pair}>
            <TimeInput {...at('starts_at')} label={text.rounds.form.from} value={start} testId="start" onChange={setStart} />
            <TimeInput {...at('ends_at')} label={text.rounds.form.until} description={endsNextDay(starts_at, ends_at) ? text.rounds.form.nextDay : '\u00a0'} value={end} testId="end" onChange={setEnd} />
          </div>
        )}
        {way === 'substitute' && (
          <NativeSelect
            {...at('substitute_id')} label={text.rounds.form.substitute} value={substitute} data-testid="substitute" onChange={(event) => setSubstitute(event.currentTarget.value)}
            data={[{ value: '', label: '' }, ...officials.filter(({ active }) => active).map((one) => ({ value: String(one.id), label: office(one) }))]}
          />
        )}
        <Textarea
          {...at('reason')} label={text.dialog.reason} description={text.rounds.reasonPublic} value={reason} maxLength={500} autosize minRows={2} data-testid="reason"
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {way === 'hours' && (
          <Checkbox {...at('short_notice')} label={text.rounds.form.shortNotice} checked={shortNotice} onChange={(event) => setShortNotice(event.currentTarget.checked)} />
        )}
        <ErrorNotice error={rest} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{text.dialog.keep}</Button>
          <Button loading={save.isPending} onClick={() => send(save.mutate)} data-testid="save-override">
            {text.rounds.form.save}
          </Button>
        </Group>
      </Stack>
    </Sheet>
  )
}
