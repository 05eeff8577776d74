import { Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { useFreshCodes } from './account/queries'
import { useMe, useSessionOver } from './api/session'
import { home, pagesOf } from './pages'
import { routes, Wallboard } from './routes'
import { SignInAgain } from './sign-in/sign-in-again'
import { SignInPage } from './sign-in/sign-in-page'
import { CallsDown } from './ui/calls-down'
import { ConnectionLost } from './ui/connection-lost'
import { Loading } from './ui/loading'
import { page } from './ui/part'

const CodesPage = page(() => import('./account/codes-page'))
const PhonePage = page(() => import('./citizen-phone/phone-page'))

export function App() {
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
  if (codes && !over) return <CodesPage codes={codes} />
  if (me.isPending) return <Loading />
  if (!me.data) {
    return (
      <Switch>
        <Route path="/sign-in" component={SignInPage} />
        <Redirect to="/sign-in" replace />
      </Switch>
    )
  }
  const { data } = me
  return (
    <>
      {over && <SignInAgain me={data} />}
      <CallsDown since={data.calls_down_since} />
      <Switch>
        {pagesOf(data).flatMap(({ name }) => {
          const { component: Page, below: Below } = routes[name]
          return [
            <Route key={name} path={`/${name}`}><Page me={data} /></Route>,
            Below && (
              <Route key={`${name}/:id`} path={`/${name}/:id`}>
                {({ id }: { id: string }) => <Below key={id} me={data} id={Number(id)} />}
              </Route>
            ),
          ]
        })}
        <Redirect to={home(data)} replace />
      </Switch>
    </>
  )
}
