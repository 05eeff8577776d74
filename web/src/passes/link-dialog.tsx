import { Button, CopyButton, Group, Stack, Text } from '@mantine/core'
import { useLanguage } from '../language/language'
import { Dialog } from '../ui/dialog'
import style from '../ui/rows.module.css'

/** A link that was just made: nobody can read it again. */
export function LinkDialog({ link, onClose }: { link: string; onClose: () => void }) {
  const { text } = useLanguage()
  const words = text.passes
  return (
    <Dialog opened onClose={onClose} title={words.link} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': words.noted }}>
      <Stack gap="md">
        <Text size="sm">{words.once}</Text>
        <code className={style.secret} dir="ltr" data-testid="pass-link">{link}</code>
        <Group justify="flex-end">
          <CopyButton value={link}>
            {({ copied, copy }) => <Button variant="default" onClick={copy}>{copied ? words.copied : words.copy}</Button>}
          </CopyButton>
          <Button onClick={onClose} data-testid="noted">{words.noted}</Button>
        </Group>
      </Stack>
    </Dialog>
  )
}
