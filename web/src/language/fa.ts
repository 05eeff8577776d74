import { words as account } from '../account/words.fa'
import { words as assist } from '../assist/words.fa'
import { words as audit } from '../audit/words.fa'
import { words as blocked } from '../blocked/words.fa'
import { words as callbacks } from '../callbacks/words.fa'
import { words as categories } from '../categories/words.fa'
import { words as citizenPhone } from '../citizen-phone/words.fa'
import { words as citizens } from '../citizens/words.fa'
import { words as control } from '../control/words.fa'
import { words as departments } from '../departments/words.fa'
import { words as desk } from '../desk/words.fa'
import { words as desks } from '../desks/words.fa'
import { words as holidays } from '../holidays/words.fa'
import { words as kept } from '../kept/words.fa'
import { words as keys } from '../keys/words.fa'
import { words as inbox } from '../inbox/words.fa'
import { words as line } from '../line/words.fa'
import { words as mine } from '../mine/words.fa'
import { words as notices } from '../notices/words.fa'
import { words as official } from '../official/words.fa'
import { words as officials } from '../officials/words.fa'
import { words as outbox } from '../outbox/words.fa'
import { words as passes } from '../passes/words.fa'
import { words as people } from '../people/words.fa'
import { words as phone } from '../phone/words.fa'
import { words as recordings } from '../recordings/words.fa'
import { words as reports } from '../reports/words.fa'
import { words as requests } from '../requests/words.fa'
import { words as rounds } from '../rounds/words.fa'
import { words as setUp } from '../set-up/words.fa'
import { words as shell } from '../shell/words.fa'
import { words as shortcuts } from '../shortcuts/words.fa'
import { words as signIn } from '../sign-in/words.fa'
import { words as subjects } from '../subjects/words.fa'
import { words as timetable } from '../timetable/words.fa'
import { words as ui } from '../ui/words.fa'
import { words as wallboard } from '../wallboard/words.fa'
import { problem } from './problems.fa'
import { words as common } from './words.fa'

/** Every text of the pages, in Persian: each feature's words, which no two share by name. `Text` is the shape any other language has to fill. */
export const fa = {
  ...common, ...ui, ...phone, ...account, ...assist, ...audit,
  ...blocked, ...callbacks, ...categories, ...citizenPhone, ...citizens, ...control, ...departments, ...desk, ...desks, ...holidays, ...inbox, ...kept, ...keys,
  ...line, ...mine, ...notices, ...official, ...officials, ...outbox, ...passes, ...people, ...recordings, ...reports,
  ...requests, ...rounds, ...setUp, ...shell, ...shortcuts, ...signIn, ...subjects, ...timetable, ...wallboard,
  problem,
}

export type Text = typeof fa
