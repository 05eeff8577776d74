import { Button, Menu } from '@mantine/core'
import { useLanguage } from '../language/language'
import { ConfirmDialog } from '../ui/confirm-dialog'
import type { Offer } from '../ui/use-undo'
import { changePerson, disablePerson, enablePerson, endSessions, newPassword, newPin, type Person, resetSecondFactor, type Secret } from './queries'
import style from '../ui/rows.module.css'

const ACTS = { newPassword, newPin, endSessions, resetSecondFactor, disable: disablePerson, enable: enablePerson }

export type Action = keyof typeof ACTS

interface Props {
  person: Person
  onChange: () => void
  onAction: (action: Action) => void
}

/** What an administrator can do for a person. */
export function Actions({ person, onChange, onAction }: Props) {
  const { text } = useLanguage()
  const words = text.people
  const active = person.disabled_at === null
  const actions: Action[] = [
    ...(active && !person.from_directory ? ['newPassword'] as const : []),
    ...(active ? ['newPin'] as const : []),
    ...(person.sessions > 0 ? ['endSessions'] as const : []),
    ...(person.has_second_factor ? ['resetSecondFactor'] as const : []),
    active ? 'disable' : 'enable',
  ]
  return (
    <span className={style.actions} role="group" aria-label={words.actions(person.name)}>
      <Button size="compact-sm" variant="light" onClick={onChange} data-testid="change-person">{words.change}</Button>
      <Menu>
        <Menu.Target>
          <Button size="compact-sm" variant="default" data-testid="more">{words.more}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {actions.map((action) => (
            <Menu.Item key={action} color={action === 'disable' ? 'brick' : undefined} onClick={() => onAction(action)} data-testid={action}>
              {words[action]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

interface DialogProps {
  action: Action
  person: Person
  offer: Offer
  onSecret: (secret: Secret) => void
  onClose: () => void
}

export function ActionDialog({ action, person, offer, onSecret, onClose }: DialogProps) {
  const { text } = useLanguage()
  const words = text.people
  return (
    <ConfirmDialog<Person | Secret>
      title={`${words[action]}${text.comma}${person.name}`} help={words[`${action}Help`]} action={words[action]}
      color={action === 'disable' ? 'brick' : undefined} act={() => ACTS[action](person.id)} onClose={onClose}
      onDone={(answer) => {
        if ('secret' in answer) {
          onSecret(answer)
          return
        }
        if (action === 'disable') offer({ said: words.isDisabled(person.name), back: () => enableAtDesk(person) })
        onClose()
      }}
    />
  )
}

/** As before: at the desk that they had. */
async function enableAtDesk({ id, desk_id }: Person) {
  await enablePerson(id)
  if (desk_id !== null) await changePerson(id, { desk_id })
}
