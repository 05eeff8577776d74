import { Button, Group, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { REQUESTS } from '../api/keys'
import { mayPlan } from '../api/permissions'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { type Department, useDepartments } from '../requests/queries'
import { Empty } from '../ui/empty'
import { ErrorNotice } from '../ui/error-notice'
import { Header } from '../head/header'
import { Loading } from '../ui/loading'
import { Tag } from '../ui/tag'
import { Sheet } from '../ui/sheet'
import { useFields } from '../ui/use-fields'
import { useUndo } from '../ui/use-undo'
import { addDepartment, changeDepartment } from './queries'
import style from './departments.module.css'

/** The departments, and what each has to do. */
export default function DepartmentsPage({ me }: { me: Me }) {
  const language = useLanguage()
  const { text, format } = language
  const words = text.departments
  const { data, isPending, error } = useDepartments()
  const [asked, setAsked] = useState<Department | 'new' | null>(null)
  const queries = useQueryClient()
  const may = mayPlan(me.role)
  const { offer, undo } = useUndo()
  const switched = useMutation({
    mutationFn: ({ id, active }: Department) => changeDepartment(id, { active: !active }),
    onSuccess: (_, one) => {
      if (one.active) offer({ said: words.deactivated(language.name(one)), back: () => changeDepartment(one.id, { active: true }) })
    },
    onSettled: () => queries.invalidateQueries({ queryKey: REQUESTS }),
  })
  useEffect(() => {
    document.title = `${words.title} · ${text.brandNumber}`
  }, [words, text])

  return (
    <div>
      {undo}
      <Header me={me} page="departments">
        {may && <Button onClick={() => setAsked('new')} data-testid="add-department">{words.add}</Button>}
      </Header>
      <main className={style.page}>
        <ErrorNotice error={error ?? switched.error} />
        {isPending && <Loading />}
        {data?.length === 0 && <Empty action={may && <Button onClick={() => setAsked('new')}>{words.add}</Button>}>{words.none}</Empty>}
        <ul className={style.list}>
          {data?.map((one) => {
            const name = language.name(one)
            return (
              <li key={one.id} className={style.item} data-testid="department" data-id={one.id}>
                <span className={style.name}>
                  <Link className="alone" href={`/requests?department=${one.id}`} aria-label={words.show(name)}>{name}</Link>
                  {!one.active && <Tag tone="warning">{words.inactive}</Tag>}
                </span>
                <span className={style.counts}>
                  {words.open}: {format.number(one.open)}
                  <span data-late={one.overdue > 0}>{words.overdue}: {format.number(one.overdue)}</span>
                </span>
                {may && (
                  <Group gap={8} role="group" aria-label={words.about(name)}>
                    <Button size="compact-sm" variant="default" onClick={() => setAsked(one)} data-testid="rename">{words.change}</Button>
                    <Button size="compact-sm" variant="default" loading={switched.isPending && switched.variables.id === one.id} onClick={() => switched.mutate(one)} data-testid="switch">
                      {one.active ? words.deactivate : words.activate}
                    </Button>
                  </Group>
                )}
              </li>
            )
          })}
        </ul>
      </main>
      {asked && <Names department={asked === 'new' ? null : asked} onClose={() => setAsked(null)} />}
    </div>
  )
}

function Names({ department, onClose }: { department: Department | null; onClose: () => void }) {
  const { text } = useLanguage()
  const words = text.departments
  const queries = useQueryClient()
  const [fa, setFa] = useState(department?.name_fa ?? '')
  const [en, setEn] = useState(department?.name_en ?? '')
  const [number, setNumber] = useState(department?.number ?? '')
  const save = useMutation({
    mutationFn: () => (department ? changeDepartment(department.id, { name_fa: fa, name_en: en, number }) : addDepartment({ name_fa: fa, name_en: en, number })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: REQUESTS })
      onClose()
    },
  })
  const { missing } = text.fields
  const { at, rest, send } = useFields({ name_fa: !fa.trim() && missing, name_en: !en.trim() && missing, number: null }, save.error)
  return (
    <Sheet title={department ? words.change : words.add} close={text.requests.keep} onClose={onClose}>
      <div className={style.form}>
        <TextInput {...at('name_fa')} label={words.nameFa} value={fa} dir="rtl" maxLength={200} data-autofocus data-testid="name-fa" onChange={(event) => setFa(event.currentTarget.value)} />
        <TextInput {...at('name_en')} label={words.nameEn} value={en} dir="ltr" maxLength={200} data-testid="name-en" onChange={(event) => setEn(event.currentTarget.value)} />
        <TextInput {...at('number')} label={words.number} description={words.numberHelp} value={number} dir="ltr" inputMode="tel" maxLength={40} data-testid="number" onChange={(event) => setNumber(event.currentTarget.value)} />
        <ErrorNotice error={rest} />
        <Button loading={save.isPending} onClick={() => send(save.mutate)} data-testid="save-department">
          {text.requests.save}
        </Button>
      </div>
    </Sheet>
  )
}
