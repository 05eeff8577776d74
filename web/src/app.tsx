import { Suspense, useEffect, useLayoutEffect, useRef, type RefObject } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { useFreshCodes } from './account/queries'
import { whenQuiet } from './api/quiet'
import { useMe, useSessionOver } from './api/session'
import type { Me } from './api/types'
import { fetchPage, useFetchAhead } from './fetch-ahead'
import { home, pagesOf } from './pages'
import { DeskPhone } from './phone/desk-phone'
import { routes, Wallboard } from './routes'
import { Opening } from './shell/opening'
import { Shell } from './shell/shell'
import { ConnectionLost } from './ui/connection-lost'
import { Loading } from './ui/loading'
import { page, part } from './ui/part'

const CodesPage = page(() => import('./account/codes-page'))
const NotHere = page(() => import('./shell/not-here'))
const PhonePage = page(() => import('./citizen-phone/phone-page'))
const SignInAgain = part(() => import('./sign-in/sign-in-again'))
const SignInPage = page(() => import('./sign-in/sign-in-page'))

export function App() {
  // What was read until now (first-load.ts).
  useLayoutEffect(() => document.querySelector('body > .opening')?.remove(), [])
  return (
    <>
      <ConnectionLost />
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/phone" component={PhonePage} />
          {/* The name that /assist had. */}
          <Route path="/beside"><Redirect to="/assist" replace /></Route>
          <Route path="/wallboard" component={Wallboard} />
          <Route component={Office} />
        </Switch>
      </Suspense>
    </>
  )
}

/** The pages behind the sign-in. */
function Office() {
  const me = useMe()
  const codes = useFreshCodes()
  const over = useSessionOver()
  // Who opens an address before signing in comes to it; who signs in after somebody else, to their own work.
  const asked = useRef(location.pathname)
  useEffect(() => {
    if (me.data) asked.current = ''
  }, [me.data])
  // A session may end at any moment.
  useEffect(() => whenQuiet(() => [SignInAgain, SignInPage].forEach(({ fetchAhead }) => void fetchAhead())), [])
  if (codes?.length && !me.data) return <CodesPage codes={codes} />
  if (me.isPending) return <Opening />
  if (!me.data) {
    return (
      <Switch>
        <Route path="/sign-in" component={SignInPage} />
        {/* A first visit goes on there, whatever is reloaded before it is over. */}
        <Route path="/setup" component={SignInPage} />
        <Redirect to="/sign-in" replace />
      </Switch>
    )
  }
  const { data } = me
  return (
    <DeskPhone me={data}>
      {over && <Suspense><SignInAgain me={data} /></Suspense>}
      {codes && !over ? <CodesPage codes={codes} /> : <Shell me={data} fetchPage={fetchPage}><Pages me={data} asked={asked} /></Shell>}
    </DeskPhone>
  )
}

function Pages({ me, asked }: { me: Me; asked: RefObject<string> }) {
  useFetchAhead()
  return (
    <Suspense fallback={<Opening />}>
      <Switch>
        {pagesOf(me).flatMap(({ name }) => {
          const { component: Page, below: Below, kinds = [''] } = routes[name]
          return [
            <Route key={name} path={`/${name}`}><Page me={me} /></Route>,
            ...kinds.map((of) => Below && (
              <Route key={`${name}/${of}/:id`} path={of ? `/${name}/${of}/:id` : `/${name}/:id`}>
                {({ id }: { id: string }) => <Below key={id} me={me} id={Number(id)} of={of} />}
              </Route>
            )),
          ]
        })}
        {/* Keys: a redirect that led to another one would be the same to React, and lead nowhere. */}
        <Route key="signed-in" path="/sign-in">{() => <Redirect to={asked.current === '/sign-in' ? '/' : asked.current || '/'} replace />}</Route>
        <Route key="home" path="/"><Redirect to={home(me)} replace /></Route>
        {/* Where the log of an empty installation leads: its first visit is over. */}
        <Route key="first-visit" path="/setup">{() => <Redirect to={home(me)} replace />}</Route>
        <Route><NotHere me={me} /></Route>
      </Switch>
    </Suspense>
  )
}
