import { Button, CopyButton, Group, Modal, Stack, Text } from '@mantine/core'
import { useLanguage } from '../language/language'
import type { IssuedKey } from './queries'
import style from '../ui/rows.module.css'

/** A key that was just issued: nobody can read it again. */
export function IssuedDialog({ issued: { key, secret }, onClose }: { issued: IssuedKey; onClose: () => void }) {
  const { text } = useLanguage()
  const words = text.apiKeys
  return (
    <Modal opened onClose={onClose} title={key.name} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': words.done }}>
      <Stack gap="md">
        <Text size="sm">{words.once(key.name)}</Text>
        <code className={style.secret} style={{ overflowWrap: 'anywhere' }} dir="ltr" data-testid="issued-key">{secret}</code>
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
