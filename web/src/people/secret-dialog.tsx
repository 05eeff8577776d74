import { Button, CopyButton, Group, Modal, Stack, Text } from '@mantine/core'
import { useLanguage } from '../language/language'
import { Latin } from '../ui/number'
import type { Secret } from './queries'
import style from '../ui/rows.module.css'

/** A password or a PIN that was just drawn: nobody can read it again. */
export function SecretDialog({ secret: { person, secret }, onClose }: { secret: Secret; onClose: () => void }) {
  const { text } = useLanguage()
  const words = text.people
  return (
    <Modal opened onClose={onClose} title={<Latin>{person.username}</Latin>} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': words.done }}>
      <Stack gap="md">
        <Text size="sm">{words.secretOnce(person.name)}</Text>
        <code className={style.secret} dir="ltr" data-testid="secret">{secret}</code>
        <Group justify="flex-end">
          <CopyButton value={secret}>
            {({ copied, copy }) => <Button variant="default" onClick={copy}>{copied ? words.copied : words.copy}</Button>}
          </CopyButton>
          <Button onClick={onClose} data-testid="noted">{words.done}</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
