import { Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useOfficials } from '../api/city'
import { useDesks } from '../desks/queries'
import { useLanguage } from '../language/language'
import { useDepartments } from '../requests/queries'
import { ConfirmDialog } from '../ui/confirm-dialog'
import { Latin } from '../ui/number'
import { addPerson, changePerson, type Person, type Role, type Secret } from './queries'

const ROLES: Role[] = ['operator', 'official', 'supervisor', 'public_relations', 'auditor', 'administrator', 'department']

interface Props {
  /** Whom to change; null to add somebody. */
  person: Person | null
  people: Person[]
  onMade: (secret: Secret) => void
  onClose: () => void
}

/** Adding a person, or changing one. */
export function PersonForm({ person, people, onMade, onClose }: Props) {
  const language = useLanguage()
  const { text, format, office } = language
  const words = text.people
  const { data: desks = [] } = useDesks()
  const { data: officials = [] } = useOfficials()
  const [username, setUsername] = useState('')
  const [name, setName] = useState(person?.name ?? '')
  const [role, setRole] = useState<Role>(person?.role ?? 'operator')
  const [desk, setDesk] = useState(String(person?.desk_id ?? ''))
  const { data: departments = [] } = useDepartments()
  const [department, setDepartment] = useState(String(person?.department?.id ?? ''))
  const [head, setHead] = useState(person?.heads_department ?? false)
  const [official, setOfficial] = useState(String(person?.official?.id ?? ''))
  const values = {
    name: name.trim(), role, desk_id: desk && role !== 'department' ? Number(desk) : null,
    department_id: role === 'department' && department ? Number(department) : null, heads_department: role === 'department' && head,
    official_id: role === 'official' && official ? Number(official) : null,
  }
  const owner = (id: number) => people.find(({ desk_id, id: owns }) => desk_id === id && owns !== person?.id)
  const deskChoices = desks.map(({ id }) => {
    const taken = owner(id)
    const number = format.number(id)
    return { value: String(id), label: taken ? words.deskTaken(number, taken.name) : text.line.atDesk(number), disabled: taken !== undefined }
  })

  return (
    <ConfirmDialog<Person | Secret>
      title={person ? <>{words.change}{text.comma}<Latin>{person.username}</Latin></> : words.add} action={words.save}
      lacking={{
        username: person ? undefined : !/^\S+$/.test(username) && words.usernameHelp,
        name: !name.trim() && text.fields.missing, desk_id: null, official_id: role === 'official' ? null : undefined,
        department_id: role === 'department' ? !department && words.departmentMissing : undefined,
      }}
      onClose={onClose}
      act={() => (person ? changePerson(person.id, values) : addPerson({ ...values, username }))}
      onDone={(answer) => ('secret' in answer ? onMade(answer) : onClose())}
    >
      {(at) => (
        <>
          {!person && (
            <TextInput
              {...at('username')} label={words.username} description={words.usernameHelp} value={username} maxLength={64} dir="ltr" data-autofocus data-testid="new-username"
              classNames={{ input: 'latin' }} autoComplete="off" autoCapitalize="none" spellCheck={false} onChange={(event) => setUsername(event.currentTarget.value)}
            />
          )}
          <TextInput {...at('name')} label={words.name} value={name} maxLength={100} data-testid="name" onChange={(event) => setName(event.currentTarget.value)} />
          <NativeSelect
            label={words.role} value={role} data-testid="role" data={ROLES.map((value) => ({ value, label: words.roles[value] }))}
            onChange={(event) => setRole(event.currentTarget.value as Role)}
          />
          {role === 'official' && (
            <NativeSelect
              {...at('official_id')} label={words.official} value={official} data-testid="person-official"
              data={[{ value: '', label: words.noOfficial }, ...officials.map((one) => ({ value: String(one.id), label: office(one) }))]}
              onChange={(event) => setOfficial(event.currentTarget.value)}
            />
          )}
          {role === 'department' && (
            <>
              <NativeSelect
                {...at('department_id')} label={words.department} value={department} data-testid="person-department"
                data={[{ value: '', label: '' }, ...departments.filter(({ active }) => active).map((one) => ({ value: String(one.id), label: language.name(one) }))]}
                onChange={(event) => setDepartment(event.currentTarget.value)}
              />
              <Checkbox label={words.head} checked={head} data-testid="person-head" onChange={(event) => setHead(event.currentTarget.checked)} />
            </>
          )}
          {role !== 'department' && <NativeSelect
            {...at('desk_id')} label={words.desk} value={desk} data-testid="person-desk" data={[{ value: '', label: words.noDesk }, ...deskChoices]}
            onChange={(event) => setDesk(event.currentTarget.value)}
          />}
        </>
      )}
    </ConfirmDialog>
  )
}
