import { Button, Container, Stack } from '@mantine/core'
import { Component, lazy, type ComponentType, type ReactNode } from 'react'
import { report } from '../api/connection'
import { useLanguage } from '../language/language'
import { Notice } from './notice'

const AGAIN_MS = 1_000
/** So often a part is tried from a server that answers: then it is not there, for it is of an older version. */
const TRIES = 3

type Load<P> = () => Promise<{ default: (props: P) => ReactNode }>

/**
 * A part of a page that is fetched when it is first shown. While the server cannot be reached that is shown as any lost
 * connection is, and heals itself. A part that cannot be had, or breaks, says so; the rest of the page goes on.
 */
export const part = <P extends object>(load: Load<P>) => whole(load, <Broken />)

/** The same for a whole page. */
export const page = <P extends object>(load: Load<P>) => whole(load, <BrokenPage />)

function whole<P extends object>(load: Load<P>, otherwise: ReactNode) {
  const Loaded: ComponentType<P> = lazy(() => patiently(load))
  return (props: P) => <Whole otherwise={otherwise}><Loaded {...props} /></Whole>
}

async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; ) {
    try {
      const loaded = await load()
      report({ parts: true })
      return loaded
    } catch (error) {
      const answers = await fetch('/', { cache: 'no-store' }).then(({ ok }) => ok, () => false)
      report({ parts: answers })
      if (answers && --left === 0) throw error
      await new Promise((done) => setTimeout(done, AGAIN_MS))
    }
  }
}

class Whole extends Component<{ otherwise: ReactNode; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError = () => ({ broken: true })

  override render() {
    return this.state.broken ? this.props.otherwise : this.props.children
  }
}

function Broken() {
  const { text } = useLanguage()
  return (
    <Notice tone="error" role="alert" data-testid="part-broken">
      <Stack align="flex-start">
        {text.partBroken}
        <Button variant="default" onClick={() => location.reload()}>{text.loadAgain}</Button>
      </Stack>
    </Notice>
  )
}

function BrokenPage() {
  const { text } = useLanguage()
  return (
    <Container component="main" size="sm" py="xl">
      <h1>{text.city} {text.brandNumber}</h1>
      <Broken />
    </Container>
  )
}
