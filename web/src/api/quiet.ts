import { queryClient } from './query-client'

const QUIET = 500

/** Something is asked of the server, or the page is only its head yet (shell/opening.tsx). */
const isBusy = () => queryClient.isFetching() > 0 || document.querySelector('.opening') !== null

/** Runs once the page has what it is for: twice in turn it was not busy. Returns how to call it off. */
export function whenQuiet(run: () => void): () => void {
  let quiet = false
  const look = () => {
    const was = quiet
    quiet = !isBusy()
    if (quiet && was) run()
    else timer = setTimeout(look, QUIET)
  }
  let timer = setTimeout(look, QUIET)
  return () => clearTimeout(timer)
}
