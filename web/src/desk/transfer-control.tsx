import { Button } from '@mantine/core'
import { IconArrowForwardUp } from '@tabler/icons-react'
import { useState } from 'react'
import type { Callback } from '../api/types'
import { useLanguage } from '../language/language'
import { Key } from '../ui/key'
import { KEY } from '../shortcuts/keys'
import { useKeys } from '../ui/use-keys'
import { useTakers } from './queries'
import { TransferChoice } from './transfer-choice'
import style from './guest.module.css'
import transferStyle from './transfer.module.css'

/** Gives the conversation to another desk, whose phone may come into it first. */
export default function TransferControl({ callback, small, thumb = false }: { callback: Callback; small: boolean; thumb?: boolean }) {
  const { text, format } = useLanguage()
  const words = text.transfer
  const [open, setOpen] = useState(false)
  const { data: takers } = useTakers(callback.id)
  const here = takers?.find((taker) => taker.here)
  const [colleague, setColleague] = useState(here)
  const waits = callback.on_hold_at !== null
  if (here && here.desk_id !== colleague?.desk_id) setColleague(here)
  if (colleague && !here && !waits) setColleague(undefined)
  const left = takers && !here && waits ? colleague : undefined
  const act = () => setOpen(true)
  useKeys({ [KEY.transfer]: act })
  return (
    <div className={thumb ? transferStyle.thumb : style.guest} data-testid="transfer" data-here={takers && (here?.desk_id ?? '')}>
      <Button
        variant={here ? 'filled' : 'default'} size={small ? 'sm' : 'md'} onClick={act} data-testid="transfer-ask"
        leftSection={<IconArrowForwardUp aria-hidden size={18} />} rightSection={!small && <Key>{KEY.transfer}</Key>}
      >
        {words.ask}
      </Button>
      <span role="status" className={style.state} data-testid="transfer-state">
        {here && words.here(format.number(here.desk_id), here.name)}
        {left && words.left(format.number(left.desk_id), left.name)}
      </span>
      {open && <TransferChoice callback={callback} onClose={() => setOpen(false)} />}
    </div>
  )
}
