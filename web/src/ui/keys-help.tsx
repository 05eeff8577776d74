import { Button } from '@mantine/core'
import { useState } from 'react'
import { useLanguage } from '../language/language'
import { Dialog } from './dialog'
import { Key } from './key'
import { KEY, type KeyName } from './keys'
import { useKeys } from './use-keys'
import style from './key.module.css'

/** All keys of a page, on `?` or by its button. */
export function KeysHelp({ keys }: { keys: KeyName[] }) {
  const { text, format } = useLanguage()
  const [open, setOpen] = useState(false)
  useKeys({ [KEY.help]: () => setOpen(true) })
  return (
    <>
      <Button
        className={style.help} variant="subtle" px="xs" c="var(--ink-soft)" color="gray" aria-keyshortcuts={KEY.help} onClick={() => setOpen(true)}
        rightSection={<Key>{KEY.help}</Key>} data-testid="keys"
      >
        {text.keys.title}
      </Button>
      <Dialog opened={open} onClose={() => setOpen(false)} title={text.keys.title} closeButtonProps={{ 'aria-label': text.keys.close }}>
        <dl className={style.list}>
          {keys.map((name) => (
            <div key={name}>
              <dt><Key shown>{format.digits(KEY[name])}</Key></dt>
              <dd>{text.keys.of[name]}</dd>
            </div>
          ))}
        </dl>
        <p className={style.hint}>{text.keys.hint}</p>
      </Dialog>
    </>
  )
}
