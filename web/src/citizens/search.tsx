import { createSpotlight, Spotlight, useSpotlight } from '@mantine/spotlight'
import '@mantine/spotlight/styles.css'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { latinDigits } from '../../shared/language/digits'
import type { Me } from '../api/types'
import { useLanguage } from '../language/language'
import { ErrorNotice } from '../ui/error-notice'
import { Latin } from '../ui/number'
import { useEscape } from '../ui/use-escape'
import { useCategory } from '../requests/use-category'
import { useSearch } from './queries'
import { groupsOf, type Result } from './results'
import { useCommands, type Deed } from './use-commands'

const [store, spotlight] = createSpotlight()

const WHILE_TYPING = 200
const LATE_MS = 3000

interface Props {
  me: Me
  /** How often it was asked for: it opens each time. */
  asked: number
  /** Gives what was typed before it was there. */
  onThere: () => string
  /** Enter would open this address. */
  onLikely: (to: string) => void
}

/** Looks for a ticket, a request, a telephone number, a person, a page or a command, above whatever is shown. */
export default function Search({ me, asked, onThere, onLikely }: Props) {
  const language = useLanguage()
  const words = language.text.search
  const category = useCategory()
  const [, go] = useLocation()
  useEscape(useSpotlight(store).opened, spotlight.close)
  const [typed, setTyped] = useState('')
  const [wanted] = useDebouncedValue(latinDigits(typed.trim()), WHILE_TYPING)
  const { data, error, isFetching } = useSearch(wanted)
  const deeds = useCommands(me, typed)
  const [refused, setRefused] = useState<unknown>(null)
  const change = (now: string) => {
    setTyped(now)
    setRefused(null)
  }
  const there = useRef(onThere)
  useEffect(() => {
    there.current = onThere
  })
  // Asked for again while it closes, what was looked for before still stands in it.
  const [asking, setAsking] = useState(asked)
  if (asked !== asking) {
    setAsking(asked)
    change('')
  }
  const takeEarly = () => {
    const before = there.current()
    if (before) setTyped((now) => before + now)
  }
  useEffect(() => {
    spotlight.open()
    // A field that never gets the cursor keeps no key of the page for ever.
    const timer = setTimeout(() => there.current(), LATE_MS)
    return () => clearTimeout(timer)
  }, [asked])
  // What was found for other words is nobody's to open.
  const settled = wanted === latinDigits(typed.trim()) && !isFetching
  const groups: { name: keyof typeof words.groups; results: (Result | Deed)[] }[] = groupsOf(
    me, typed, settled && wanted.length > 1 ? data : undefined, language, category,
  )
  if (deeds.length > 0) groups.push({ name: 'commands', results: deeds })
  const first = groups[0]?.results[0]
  const likely = first && 'to' in first ? first.to : ''
  useEffect(() => {
    if (likely) onLikely(likely)
  }, [likely, onLikely])
  const early = useRef(false)
  const opening = useRef(false)
  /** Once, however it was asked for: a second one would close whatever is looked for next. */
  const open = async (result: Result | Deed) => {
    early.current = false
    if (opening.current) return
    opening.current = true
    try {
      if ('to' in result) go(result.to)
      else await result.act()
      spotlight.close()
    } catch (error) {
      setRefused(error)
    } finally {
      opening.current = false
    }
  }
  useEffect(() => {
    if (!typed) early.current = false // it was closed: what an empty field finds was not asked for
    if (!settled || !early.current || !first) return
    early.current = false
    void open(first)
  })
  return (
    <Spotlight.Root store={store} closeOnEscape={false} query={typed} onQueryChange={change} shortcut={null} clearQueryOnClose scrollable maxHeight={420} data-testid="search">
      <Spotlight.Search
        onFocus={takeEarly}
        // Whoever types and presses Enter at once wants the first of what comes.
        onKeyDown={({ key }) => {
          early.current = key === 'Enter' && !settled
        }}
        placeholder={words.placeholder} aria-label={words.placeholder} maxLength={80} leftSection={<IconSearch aria-hidden size={20} />} data-testid="search-typed"
      />
      <Spotlight.ActionsList>
        {groups.map(({ name, results }) => (
          <Spotlight.ActionsGroup key={name} label={words.groups[name]}>
            {results.map((result) => (
              <Spotlight.Action
                key={result.key} label={result.label} description={'about' in result ? result.about : undefined}
                rightSection={'latin' in result && result.latin && <Latin>{result.latin}</Latin>}
                closeSpotlightOnTrigger={false} onClick={() => void open(result)} data-testid={`found-${name}`}
                // What came after the last key is selected as what was there before it is.
                data-selected={result.key === first?.key || undefined}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && <Spotlight.Empty role="status">{settled ? words.none : words.looking}</Spotlight.Empty>}
      </Spotlight.ActionsList>
      <ErrorNotice error={error ?? refused} />
    </Spotlight.Root>
  )
}
