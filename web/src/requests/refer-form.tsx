import { Button, NativeSelect, Textarea } from '@mantine/core'
import { useState } from 'react'
import { addDays, cityTime } from '../../shared/language/city-time'
import { useCategories } from '../api/city'
import { serverNow } from '../api/clock'
import { useLanguage } from '../language/language'
import { DayPicker } from '../ui/day-picker'
import { ErrorNotice } from '../ui/error-notice'
import { type At, useFields } from '../ui/use-fields'
import { type CityRequest, type Refer, referRequest, useDepartments, useRequestAction } from './queries'
import { keepDepartment, meantDepartment } from './usual-department'
import style from './requests.module.css'

const USUAL_DAYS = 3

/** A referral as its form holds it; no department yet: an empty one, no day: as the category has promised. */
export interface Referral {
  department: string
  due: string
  note: string
}

export const newReferral = (): Referral => ({ department: '', due: '', note: '' })

/** Of a request that has no due date, or whose time is over, somebody says until when. */
export const usualDue = ({ solve_by }: CityRequest) =>
  solve_by && Date.parse(solve_by) > serverNow() ? '' : addDays(cityTime(serverNow()).day, USUAL_DAYS)

/** What the API is told; null: to no department. */
export const toRefer = ({ department, due, note }: Referral): Refer | null =>
  department ? { department_id: Number(department), due_on: due || null, note: note.trim() } : null

/** To which department, until which day, with which note. */
export function ReferFields({ value, onChange, none, at }: { value: Referral; onChange: (value: Referral) => void; none: string; at: At }) {
  const language = useLanguage()
  const { text } = language
  const { data: departments = [] } = useDepartments()
  const active = departments.filter((one) => one.active)
  return (
    <>
      <div className={style.pair}>
        <NativeSelect
          {...at('department_id')} label={text.requests.referTo} value={value.department} data-testid="refer-department"
          data={[{ value: '', label: none }, ...active.map((one) => ({ value: String(one.id), label: language.name(one) }))]}
          onChange={(event) => onChange({ ...value, department: event.currentTarget.value })}
        />
        <DayPicker {...at('due_on')} label={text.requests.dueOn} day={value.due} placeholder={text.requests.dueOfCategory} testId="refer-due" onChange={(due) => onChange({ ...value, due })} />
      </div>
      {value.department && (
        <Textarea
          label={text.requests.note} value={value.note} autosize minRows={2} maxLength={2000} data-testid="refer-note"
          onChange={(event) => onChange({ ...value, note: event.currentTarget.value })}
        />
      )}
    </>
  )
}

/** Refers a request; one that is with a department: to another one, or until another day. */
export function ReferForm({ request, onDone }: { request: CityRequest; onDone: () => void }) {
  const { text } = useLanguage()
  const { data: categories = [] } = useCategories()
  const { data: departments = [] } = useDepartments()
  const [said, setSaid] = useState<Referral>()
  const meant = meantDepartment(categories.find(({ id }) => id === request.category), String(request.district ?? ''), departments)
  const referral = said ?? { ...newReferral(), due: usualDue(request), department: request.department ? '' : meant }
  const refer = useRequestAction((to: Refer) => referRequest(request.id, to), ({ request: referred }) => {
    keepDepartment(referred)
    onDone()
  })
  const to = toRefer(referral)
  const { at, rest, send } = useFields({ department_id: !to && text.fields.choose, due_on: null }, refer.error)
  return (
    <div className={style.form} data-testid="refer-form">
      <ReferFields value={referral} onChange={setSaid} none="–" at={at} />
      <ErrorNotice error={rest} />
      <Button loading={refer.isPending} onClick={() => send(() => to && refer.mutate(to))} data-testid="refer">
        {text.requests.refer}
      </Button>
    </div>
  )
}
