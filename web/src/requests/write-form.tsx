import { Button, Group, NativeSelect, Stack, Text, Textarea } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useState } from 'react'
import { Link } from 'wouter'
import { DISTRICTS } from '../../shared/language/city'
import { useCategories } from '../api/city'
import { DRAFT } from '../api/session'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useCategory } from './use-category'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { type RequestIn, useDepartments, useRequestAction, writeRequest } from './queries'
import { newReferral, ReferFields, type Referral, toRefer } from './refer-form'
import { keepDepartment, meantDepartment } from './usual-department'
import style from './requests.module.css'

interface Props {
  /** Whose problem it is, when a desk speaks with them, */
  registration?: { id: number; subject: number | null }
  /** and what the desk has written of it until then. */
  noteSoFar?: () => string
  onClose: () => void
}

/** What was changed of the form, kept in this browser until the API has it; the rest is as it begins. */
type Draft = { [Field in keyof Whole]?: Whole[Field] | undefined }
interface Whole extends Referral { written: string; category: string; district: string }

const NOTHING: Draft = {}
const nothing = () => ''

/** Writes a citizen's problem down, and refers it at once where that is wanted. */
export function WriteForm({ registration, noteSoFar = nothing, onClose }: Props) {
  const { code, text, format } = useLanguage()
  const categoryName = useCategory()
  const { data: categories = [] } = useCategories()
  const words = text.requests
  const [begun] = useState(noteSoFar)
  const [draft, setDraft, forget] = useLocalStorage({
    key: `${DRAFT}referral.${registration?.id ?? ''}`, defaultValue: NOTHING, getInitialValueInEffect: false,
  })
  const say = (change: Draft) => setDraft((before) => ({ ...before, ...change }))
  const { data: departments = [] } = useDepartments()
  const usual = categories.find(({ key, active }) => active && key !== null && key === registration?.subject)
  const { written = begun, category = usual ? String(usual.id) : '', district = '' } = draft
  const chosen = categories.find(({ id }) => String(id) === category)
  const { department = meantDepartment(chosen, district, departments), due = newReferral().due, note = '' } = draft
  const referral = { department, due, note }
  const write = useRequestAction((request: RequestIn) => writeRequest(request), ({ request }) => {
    forget()
    keepDepartment(request)
  })
  const done = write.data?.request

  const save = () =>
    write.mutate({
      written: written.trim(), category: Number(category), district: district ? Number(district) : null, language: 'fa',
      registration_id: registration?.id ?? null, refer: toRefer(referral),
    })

  const { at, rest, send } = useFields({
    written: !written.trim() && text.fields.missing, category: !category && text.fields.choose, department_id: null, due_on: null,
  }, write.error)

  return (
    <Sheet beside={registration !== undefined} title={words.write} close={words.keep} onClose={onClose}>
      {done ? (
        <Stack role="status" data-testid="wrote">
          <Text>{words.wrote(format.ticket(done.tracking))}</Text>
          <Group justify="flex-end">
            <Link href={`/requests/${done.id}`} target="_blank">{words.open}</Link>
            <Button onClick={onClose} data-autofocus>{words.close}</Button>
          </Group>
        </Stack>
      ) : (
        <div className={style.form} data-testid="write-form">
          <Textarea
            {...at('written')} label={words.written} description={words.writtenHelp} value={written} maxLength={2000} autosize minRows={3} data-autofocus
            data-testid="written" onChange={(event) => say({ written: event.currentTarget.value })}
          />
          <div className={style.pair}>
            <NativeSelect
              {...at('category')} label={words.category} value={category} data-testid="category"
              data={[{ value: '', label: words.pickCategory }, ...categories.filter(({ active }) => active).map(({ id }) => ({ value: String(id), label: categoryName(id) }))]}
              onChange={(event) => say({ category: event.currentTarget.value, department: undefined })}
            />
            <NativeSelect
              label={words.district} value={district} data-testid="district"
              data={[{ value: '', label: words.unknownDistrict }, ...DISTRICTS.map((one) => ({ value: String(one), label: words.inDistrict(format.number(one)) }))]}
              onChange={(event) => say({ district: event.currentTarget.value })}
            />
          </div>
          {chosen && chosen.questions.length > 0 && (
            <ul className={style.questions} aria-label={words.ask} data-testid="questions">
              {chosen.questions.map((one) => <li key={one.fa}>{one[code]}</li>)}
            </ul>
          )}
          <ReferFields value={referral} onChange={say} none={words.noReferral} at={at} />
          <ErrorNotice error={rest} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>{words.keep}</Button>
            <Button loading={write.isPending} onClick={() => send(save)} data-testid="save-request">{words.save}</Button>
          </Group>
        </div>
      )}
    </Sheet>
  )
}
