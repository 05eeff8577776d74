import { Button, Menu } from '@mantine/core'
import { disablePerson, enablePerson, endSessions, newPassword, newPin, type Person, resetSecondFactor, type Secret } from '../../api/admin'
import { useLanguage } from '../../language/language'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import style from '../../ui/rows.module.css'

const ACTS = { newPassword, newPin, endSessions, resetSecondFactor, disable: disablePerson, enable: enablePerson }

export type Deed = keyof typeof ACTS

interface Props {
  person: Person
  onChange: () => void
  onDeed: (deed: Deed) => void
}

/** What an administrator can do for a person. */
export function Deeds({ person, onChange, onDeed }: Props) {
  const { text } = useLanguage()
  const words = text.people
  const active = person.disabled_at === null
  const deeds: Deed[] = [
    ...(active ? ['newPassword', 'newPin'] as const : []),
    ...(person.sessions > 0 ? ['endSessions'] as const : []),
    ...(person.has_second_factor ? ['resetSecondFactor'] as const : []),
    active ? 'disable' : 'enable',
  ]
  return (
    <span className={style.deeds} role="group" aria-label={words.deeds(person.name)}>
      <Button size="compact-sm" variant="light" onClick={onChange} data-testid="change-person">{words.change}</Button>
      <Menu>
        <Menu.Target>
          <Button size="compact-sm" variant="default" data-testid="more">{words.more}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {deeds.map((deed) => (
            <Menu.Item key={deed} color={deed === 'disable' ? 'brick' : undefined} onClick={() => onDeed(deed)} data-testid={deed}>
              {words[deed]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

interface DialogProps {
  deed: Deed
  person: Person
  onSecret: (secret: Secret) => void
  onClose: () => void
}

export function DeedDialog({ deed, person, onSecret, onClose }: DialogProps) {
  const { text } = useLanguage()
  const words = text.people
  return (
    <ConfirmDialog<Person | Secret>
      title={`${words[deed]}${text.comma}${person.name}`} help={words[`${deed}Help`]} action={words[deed]}
      color={deed === 'disable' ? 'brick' : undefined} act={() => ACTS[deed](person.id)} onClose={onClose}
      onDone={(answer) => ('secret' in answer ? onSecret(answer) : onClose())}
    />
  )
}
