import { Anchor, Button, Container, Stack } from '@mantine/core'
import { Component, lazy, useState, type ComponentType, type FunctionComponent, type ReactNode } from 'react'
import { retryImport } from '../api/retry-import'
import { useLanguage } from '../language/language'
import { Notice } from './notice'

type Load<P> = () => Promise<{ default: (props: P) => ReactNode }>

/**
 * A part of a page that is fetched when it is first shown, and while the server cannot be reached is waited for. One that
 * cannot be had, or breaks, says so; the rest of the page goes on.
 */
export const part = <P extends object>(load: Load<P>) => whole(load, <BrokenPart />)

/** The same of what nobody would miss: one that breaks is not there. */
export const extra = <P extends object>(load: Load<P>) => whole(load, null)

/** The same for a whole page. */
export const page = <P extends object>(load: Load<P>) => whole(load, <BrokenPage />)

/** It can be fetched before it is shown; then it is there at once. */
export type Late<P> = FunctionComponent<P> & { fetchAhead: () => Promise<void> }

function whole<P extends object>(load: Load<P>, otherwise: ReactNode): Late<P> {
  let there: ComponentType<P> | undefined
  const note = (loaded: Awaited<ReturnType<Load<P>>>) => {
    there = loaded.default
    return loaded
  }
  const Fetched: ComponentType<P> = lazy(() => retryImport(load).then(note))
  function Shown(props: P) {
    // What was waited for stays as it is: another component would begin anew.
    const [Loaded] = useState(() => there ?? Fetched)
    return <Whole otherwise={otherwise}><Loaded {...props} /></Whole>
  }
  // One that does not come is asked for again when it is shown.
  return Object.assign(Shown, { fetchAhead: () => load().then(note).then(() => undefined, () => undefined) })
}

class Whole extends Component<{ otherwise: ReactNode; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError = () => ({ broken: true })

  override render() {
    return this.state.broken ? this.props.otherwise : this.props.children
  }
}

function BrokenPart() {
  const { text } = useLanguage()
  return <Broken>{text.broken.part}</Broken>
}

function BrokenPage() {
  const { text } = useLanguage()
  return (
    <Container component="main" size="sm" py="xl">
      <h1>{text.city} {text.brandNumber}</h1>
      <Broken>{text.broken.page}</Broken>
      <Anchor href="/account" mt="md" display="block">{text.broken.toAccount}</Anchor>
    </Container>
  )
}

function Broken({ children }: { children: ReactNode }) {
  const { text } = useLanguage()
  return (
    <Notice tone="error" role="alert" data-testid="broken">
      <Stack align="flex-start">
        {children}
        <Button variant="default" onClick={() => location.reload()}>{text.broken.loadAgain}</Button>
      </Stack>
    </Notice>
  )
}
