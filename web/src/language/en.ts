import { words as account } from '../account/words.en'
import { words as assist } from '../assist/words.en'
import { words as audit } from '../audit/words.en'
import { words as blocked } from '../blocked/words.en'
import { words as callbacks } from '../callbacks/words.en'
import { words as categories } from '../categories/words.en'
import { words as citizenPhone } from '../citizen-phone/words.en'
import { words as citizens } from '../citizens/words.en'
import { words as control } from '../control/words.en'
import { words as departments } from '../departments/words.en'
import { words as desk } from '../desk/words.en'
import { words as desks } from '../desks/words.en'
import { words as holidays } from '../holidays/words.en'
import { words as kept } from '../kept/words.en'
import { words as keys } from '../keys/words.en'
import { words as inbox } from '../inbox/words.en'
import { words as line } from '../line/words.en'
import { words as mine } from '../mine/words.en'
import { words as notices } from '../notices/words.en'
import { words as official } from '../official/words.en'
import { words as officials } from '../officials/words.en'
import { words as outbox } from '../outbox/words.en'
import { words as passes } from '../passes/words.en'
import { words as people } from '../people/words.en'
import { words as phone } from '../phone/words.en'
import { words as recordings } from '../recordings/words.en'
import { words as reports } from '../reports/words.en'
import { words as requests } from '../requests/words.en'
import { words as rounds } from '../rounds/words.en'
import { words as setUp } from '../set-up/words.en'
import { words as shell } from '../shell/words.en'
import { words as shortcuts } from '../shortcuts/words.en'
import { words as signIn } from '../sign-in/words.en'
import { words as subjects } from '../subjects/words.en'
import { words as timetable } from '../timetable/words.en'
import { words as ui } from '../ui/words.en'
import { words as wallboard } from '../wallboard/words.en'
import type { Text } from './fa'
import { problem } from './problems.en'
import { words as common } from './words.en'

/** Every text of the pages, in English. */
export const en: Text = {
  ...common, ...ui, ...phone, ...account, ...assist, ...audit,
  ...blocked, ...callbacks, ...categories, ...citizenPhone, ...citizens, ...control, ...departments, ...desk, ...desks, ...holidays, ...inbox, ...kept, ...keys,
  ...line, ...mine, ...notices, ...official, ...officials, ...outbox, ...passes, ...people, ...recordings, ...reports,
  ...requests, ...rounds, ...setUp, ...shell, ...shortcuts, ...signIn, ...subjects, ...timetable, ...wallboard,
  problem,
}
