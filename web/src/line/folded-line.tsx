import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react'
import { useState, type ComponentProps, type MouseEvent } from 'react'
import { useLanguage } from '../language/language'
import { Whole } from '../ui/whole'
import { Line } from './line'

/** On a telephone the call comes first, and the line is one row until it is asked for; it asks for nothing meanwhile. */
const TELEPHONE = '(max-width: 48em)'

/** The line beside the call, folded up where there is room for one of both. */
export function FoldedLine(props: ComponentProps<typeof Line>) {
  const { text, format } = useLanguage()
  const small = useMediaQuery(TELEPHONE, false, { getInitialValueInEffect: false })
  const [open, setOpen] = useState(false)
  function turn({ currentTarget }: MouseEvent) {
    setOpen(!open)
    // What opens below the window would not be seen.
    if (!open) requestAnimationFrame(() => currentTarget.scrollIntoView({ block: 'start' }))
  }
  if (!small) return <Line {...props} />
  return (
    <>
      <Whole>
        <Button
          fullWidth variant="default" justify="space-between" aria-expanded={open} onClick={turn} data-testid="line-fold"
          rightSection={open ? <IconChevronUp aria-hidden size={18} /> : <IconChevronDown aria-hidden size={18} />}
        >
          {text.line.title}{text.comma}{text.line.waiting(format.number(props.round.counts.waiting))}
        </Button>
      </Whole>
      {open && <Line {...props} />}
    </>
  )
}
