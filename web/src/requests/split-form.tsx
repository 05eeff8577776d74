import { Button, Group, NativeSelect, Textarea } from '@mantine/core'
import { useState } from 'react'
import { useCategories } from '../api/city'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { useCategory } from './use-category'
import { useFields } from '../ui/use-fields'
import { type CityRequest, splitRequest, useDepartments, useRequestAction } from './queries'
import { usualDue } from './refer-form'
import { meantDepartment } from './usual-department'
import style from './requests.module.css'

interface Piece { key: number; written: string; category: string; department: string }

const MOST = 5

/** Makes a request of each part; the first one begins with the citizen's words. */
export function SplitForm({ request, onDone }: { request: CityRequest; onDone: () => void }) {
  const language = useLanguage()
  const { text, format } = language
  const categoryName = useCategory()
  const { data: categories = [] } = useCategories()
  const { data: departments = [] } = useDepartments()
  const words = text.requests
  const active = departments.filter((one) => one.active)
  const meant = (category: string) =>
    meantDepartment(categories.find(({ id }) => String(id) === category), String(request.district ?? ''), departments)
  const [next, setNext] = useState(2)
  const [pieces, setPieces] = useState<Piece[]>([
    { key: 0, written: request.written, category: String(request.category), department: request.department ? String(request.department.id) : '' },
    { key: 1, written: '', category: String(request.category), department: '' },
  ])
  const split = useRequestAction(() => splitRequest(request.id, pieces.map(({ written, category, department }) => ({
    category: Number(category), written: written.trim(), refer: department ? { department_id: Number(department), due_on: usualDue(request) || null, note: '' } : null,
  }))), onDone)
  const say = (key: number, change: Partial<Piece>) => setPieces(pieces.map((piece) => (piece.key === key ? { ...piece, ...change } : piece)))
  const { at, rest, send } = useFields({
    ...Object.fromEntries(pieces.map(({ key, written }) => [`written-${key}`, !written.trim() && text.fields.missing])),
  }, split.error)
  return (
    <div className={style.form} data-testid="split-form">
      <p className={style.soft}>{words.splitHelp}</p>
      {pieces.map(({ key, written, category, department }, index) => (
        <fieldset key={key} className={style.form} data-testid="piece">
          <legend>{words.nthPart(format.number(index + 1))}</legend>
          <Textarea
            {...at(`written-${key}`)} label={words.written} value={written} maxLength={2000} autosize minRows={2} data-testid="piece-words"
            onChange={(event) => say(key, { written: event.currentTarget.value })}
          />
          <div className={style.pair}>
            <NativeSelect
              label={words.category} value={category} data-testid="piece-category"
              data={categories.filter((one) => one.active || String(one.id) === category).map(({ id }) => ({ value: String(id), label: categoryName(id) }))}
              onChange={(event) => say(key, { category: event.currentTarget.value, department: meant(event.currentTarget.value) || department })}
            />
            <NativeSelect
              label={words.referTo} value={department} data-testid="piece-department"
              data={[{ value: '', label: words.noReferral }, ...active.map((one) => ({ value: String(one.id), label: language.name(one) }))]}
              onChange={(event) => say(key, { department: event.currentTarget.value })}
            />
          </div>
          {pieces.length > 2 && (
            <Button size="compact-sm" variant="subtle" onClick={() => setPieces(pieces.filter((piece) => piece.key !== key))}>
              {words.dropPart(format.number(index + 1))}
            </Button>
          )}
        </fieldset>
      ))}
      <ErrorNotice error={rest} />
      <Group>
        <Button loading={split.isPending} onClick={() => send(() => split.mutate(undefined))} data-testid="split">{words.split}</Button>
        {pieces.length < MOST && (
          <Button
            variant="default" data-testid="add-piece"
            onClick={() => { setPieces([...pieces, { key: next, written: '', category: String(request.category), department: '' }]); setNext(next + 1) }}
          >
            {words.addPart}
          </Button>
        )}
      </Group>
    </div>
  )
}
