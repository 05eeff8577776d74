import { Button } from '@mantine/core'
import { useEffect } from 'react'
import { useLanguage } from '../language/language'
import { Dialog } from '../ui/dialog'
import { Key } from '../ui/key'
import { KEY, keysHelp, type KeyName } from './keys'
import { useStore } from '../ui/store'
import { useKeys } from '../ui/use-keys'
import style from './keys-help.module.css'

/** All keys of a page, on `?`, by its button or by a command of the search. */
export function KeysHelp({ keys }: { keys: KeyName[] }) {
  const { text, format } = useLanguage()
  const { open } = useStore(keysHelp)
  const setOpen = (yes: boolean) => keysHelp.set({ open: yes })
  useEffect(() => () => keysHelp.set({ open: false }), [])
  useKeys({ [KEY.help]: () => setOpen(true) })
  return (
    <>
      <Button
        className={style.help} variant="subtle" px="xs" c="var(--ink-soft)" color="gray" aria-keyshortcuts={KEY.help} onClick={() => setOpen(true)}
        rightSection={<Key>{KEY.help}</Key>} data-testid="keys"
      >
        {text.keys.title}
      </Button>
      <Dialog opened={open} onClose={() => setOpen(false)} title={text.keys.title} closeButtonProps={{ 'aria-label': text.dialog.close }}>
        <dl className={style.list}>
          {keys.map((name) => (
            <div key={name}>
              <dt><Key shown>{format.digits(KEY[name])}</Key></dt>
              <dd>{text.keys.of[name]}</dd>
            </div>
          ))}
          <div>
            <dt><Key shown>Ctrl K</Key></dt>
            <dd>{text.keys.search}</dd>
          </div>
        </dl>
        <p className={style.hint}>{text.keys.hint}</p>
      </Dialog>
    </>
  )
}
