import { Anchor, Button, Container, Stack } from '@mantine/core'
import { Component, lazy, type ComponentType, type ReactNode } from 'react'
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

function whole<P extends object>(load: Load<P>, otherwise: ReactNode) {
  const Loaded: ComponentType<P> = lazy(() => retryImport(load))
  return (props: P) => <Whole otherwise={otherwise}><Loaded {...props} /></Whole>
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
      <Anchor href="/account" mt="md" display="block">{text.account.title}</Anchor>
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
