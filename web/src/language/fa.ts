import { faAdmin, faAdminProblems } from './fa-admin'
import { faAccount, faAccountProblem } from './fa-account'
import { faDesk, faDeskProblem } from './fa-desk'
import { faOfficial } from './fa-official'
import { faRequestProblems, faRequests } from './fa-requests'
import { faPlanning, faPlanningProblems } from './fa-planning'
import { faRounds } from './fa-rounds'
import { faReports } from './fa-reports'
import { faSupervising } from './fa-supervising'
import { faWallboard } from './fa-wallboard'

/** Every text of the pages, in Persian. `Text` is the shape any other language has to fill. */
export const fa = {
  brandNumber: '۱۳۷',
  city: 'شهرداری اصفهان',
  loading: 'در حال بارگذاری…',
  /** The switch: how to come to the other language. */
  language: 'English',
  comma: '، ',

  connectionLost: 'ارتباط با سامانه قطع شد. در حال تلاش برای وصل شدن…',
  broken: {
    part: 'این بخش از صفحه نمایش داده نشد. شاید نسخهٔ تازه‌ای از سامانه نصب شده باشد.', page: 'این صفحه نمایش داده نشد. شاید نسخهٔ تازه‌ای از سامانه نصب شده باشد.',
    loadAgain: 'بارگذاری دوبارهٔ صفحه',
  },

  signOut: 'خروج',
  pages: 'صفحه‌ها',

  phase: {
    planned: 'برنامه‌ریزی‌شده',
    announced: 'اعلام‌شده',
    open: 'ثبت‌نام باز است',
    closed: 'ثبت‌نام پایان یافته',
    live: 'در جریان',
    over: 'پایان‌یافته',
    cancelled: 'لغوشده',
  },
  round: {
    choose: 'نوبت گفت‌وگو',
    none: 'هنوز نوبتی اعلام نشده است.',
    option: (office: string, when: string, phase: string) => `${office} (${phase})، ${when}`,
    hours: (from: string, until: string) => `${from} تا ${until}`,
    reached: (count: string) => `${count} گفت‌وگو انجام شد`,
    startsAt: (when: string) => `گفت‌وگوها ${when} آغاز می‌شود.`,
    over: 'این نوبت پایان یافته است.',
    cancelled: (reason: string) => (reason ? `این نوبت لغو شد: ${reason}` : 'این نوبت لغو شد.'),
  },

  line: {
    title: 'صف',
    waiting: (count: string) => `${count} نفر در انتظار`,
    empty: 'کسی در صف نیست.',
    place: 'ردیف',
    ticket: 'شمارهٔ پیگیری',
    number: 'شمارهٔ تلفن',
    since: 'ثبت‌نام',
    roundsMissed: (count: number, digits: string) =>
      count === 1 ? 'انتقالی از نوبت پیش' : `انتقالی از ${['دو', 'سه', 'چهار', 'پنج'][count - 2] ?? digits} نوبت پیش`,
    movedUp: (reason: string) => `به تشخیص سرپرست: ${reason}`,
    attempts: (count: string) => `${count} بار تماس`,
    retryAt: (when: string) => `تماس دوباره از ${when}`,
    atDesk: (id: string) => `میز ${id}`,
    atMyDesk: 'میز شما',
    calling: 'در حال تماس',
  },

  desk: {
    title: 'میز پاسخگویی',
    none: 'برای شما میزی تعیین نشده است؛ صف را می‌بینید ولی نمی‌توانید تماس بگیرید.',
    takeNext: 'نفر بعدی',
    call: 'تماس',
    hangUp: 'پایان تماس',
    ready: 'آماده',
    nobodyWaits: 'اکنون کسی در انتظار نیست.',
    nobodyIsDue: 'زمان تماس دوباره با نفرهای صف هنوز نرسیده است.',
    chooseOutcome: 'نتیجهٔ تماس',
    note: 'یادداشت',
    notePlaceholder: 'آنچه شهروند گفت و آنچه قرار شد…',
    saveOutcome: 'ثبت نتیجه',
    saveNote: 'ذخیرهٔ یادداشت',
    noteKept: (ticket: string) => `یادداشت شمارهٔ پیگیری ${ticket} هنوز ذخیره نشده است:`,
    dismiss: 'کنار گذاشتن',
    conversation: 'مدت گفت‌وگو',
  },

  callback: {
    claimed: 'آمادهٔ تماس',
    dialing: 'در حال شماره‌گیری',
    ringing: 'زنگ می‌خورد',
    answered: 'پاسخ داد و پیام را می‌شنود',
    waiting: 'منتظر گفت‌وگو با شماست',
    screening: 'نخست با اپراتور گفت‌وگو می‌کند',
    talking: 'در حال گفت‌وگو',
    ended: 'گفت‌وگو پایان یافت',
    closed: 'پایان یافت',
  },
  callbackHelp: {
    claimed: 'برای گرفتن شماره، «تماس» را بزنید.',
    dialing: '',
    ringing: '',
    answered: 'از شهروند خواسته شده است عدد یک را بزند.',
    waiting: 'عدد یک را زد؛ به تلفن شما وصل می‌شود.',
    screening: '',
    talking: '',
    ended: 'نتیجه را انتخاب و ثبت کنید.',
    closed: '',
  },
  outcome: {
    no_answer: 'پاسخ نداد',
    busy: 'مشغول بود',
    rejected: 'تماس را رد کرد',
    unreachable: 'در دسترس نبود',
    not_confirmed: 'عدد یک را نزد',
    hung_up: 'پیش از گفت‌وگو قطع کرد',
    failed: 'تماس برقرار نشد',
    reached: 'گفت‌وگو انجام شد',
    call_again: 'دوباره تماس بگیریم',
    refused: 'دیگر نمی‌خواهد',
    wrong_number: 'شماره اشتباه بود',
    returned: 'به صف برگشت',
  },
  returnToLine: 'برگرداندن به صف',

  deskPhone: {
    title: 'تلفن میز',
    disconnected: 'وصل نیست',
    connecting: 'در حال وصل شدن…',
    connected: 'وصل است',
    connect: 'وصل کردن تلفن',
    disconnect: 'قطع کردن',
    mute: 'بی‌صدا',
    unmute: 'میکروفون خاموش است',
    yourVoice: 'صدای شما',
    theirVoice: 'صدای شهروند',
    elsewhere: 'تلفن این میز در پنجره یا رایانهٔ دیگری وصل است.',
    sipHelp: (extension: string) =>
      `گوشی تلفن میز را بردارید و ${extension} را بگیرید. گوشی را نگذارید؛ شهروندان یکی پس از دیگری به همین تماس وصل می‌شوند.`,
  },
  phoneProblem: {
    'microphone-denied': 'اجازهٔ میکروفون داده نشده است. در نوار نشانی مرورگر اجازه بدهید.',
    'microphone-missing': 'میکروفونی پیدا نشد.',
    insecure: 'مرورگر فقط در نشانی امن (https) به میکروفون اجازه می‌دهد.',
    network: 'سامانهٔ تلفن پاسخ نمی‌دهد.',
    refused: 'سامانهٔ تلفن این تلفن را نپذیرفت.',
    busy: 'مشغول بود.',
    rejected: 'تماس پذیرفته نشد.',
    'no-answer': 'پاسخی نیامد.',
    failed: 'تماس برقرار نشد.',
  },

  citizenPhone: {
    title: 'تلفن شهروند',
    off: 'تلفن مرورگری در این سامانه خاموش است.',
    line: 'خط',
    lineOption: (line: string, number: string) => `خط ${line}: ${number}`,
    ownNumber: 'شمارهٔ این تلفن',
    state: {
      disconnected: 'وصل نیست',
      registered: 'آماده',
      calling: 'در حال گرفتن ۱۳۷…',
      ringing: 'از ۱۳۷ تماس می‌گیرند',
      talking: 'در حال گفت‌وگو',
    },
    dial: 'شماره‌گیری ۱۳۷',
    hangUp: 'پایان تماس',
    answer: 'پاسخ',
    reject: 'رد تماس',
    keypad: 'صفحه‌کلید',
    star: 'ستاره',
    hash: 'مربع',
    pressed: 'کلیدهای فشرده',
  },

  ...faRequests, ...faAdmin,
  ...faPlanning, ...faRounds,
  ...faOfficial, ...faSupervising,
  ...faDesk, ...faAccount,
  ...faReports, ...faWallboard,

  problem: {
    ...faAdminProblems, ...faRequestProblems,
    ...faDeskProblem,
    ...faAccountProblem,
    'not-signed-in': 'نشست شما پایان یافته است. دوباره وارد شوید.',
    'wrong-credentials': 'نام کاربری یا رمز عبور درست نیست.',
    'too-many-attempts': 'تلاش‌های ناموفق زیاد بود. چند دقیقه بعد دوباره امتحان کنید.',
    forbidden: 'اجازهٔ این کار را ندارید.',
    'not-found': 'پیدا نشد.',
    'no-desk': 'برای شما میزی تعیین نشده است.',
    'desk-busy': 'این میز هنوز تماسی در دست دارد.',
    'desk-phone-away': 'تلفن میز وصل نیست. نخست آن را وصل کنید.',
    'not-serving': 'میز شما به این نوبت پاسخ نمی‌دهد.',
    'round-not-started': 'گفت‌وگوهای این نوبت هنوز آغاز نشده است.',
    'round-over': 'این نوبت پایان یافته است.',
    'wrong-state': 'وضعیت در این میان عوض شده است.',
    'round-times': 'ترتیب زمان‌ها درست نیست: اطلاعیه، آغاز ثبت‌نام، پایان ثبت‌نام، پایان نوبت؛ و پایان پس از آغاز.',
    'round-values': 'ظرفیت، مدت گفت‌وگو یا زبان‌ها درست نیست.',
    'notice-too-short': 'نوبت باید دست‌کم یک روز پیش از آغاز اعلام شود. اگر این اعلام دیرهنگام عمدی است، گزینهٔ آن را بزنید.',
    'official-busy': 'این مسئول در همان زمان نوبت دیگری دارد.',
    'nobody-speaks': 'این میز اکنون در گفت‌وگو نیست.',
    'own-desk': 'میز خودتان را نمی‌توانید بشنوید.',
    'desk-hears': 'تلفن این میز در گفت‌وگوی میز دیگری است. نخست آن را پایان دهید.',
    'recording-changed': 'فایل این گفت‌وگو دست خورده یا در دسترس نیست.',
    ...faPlanningProblems,
    'reason-missing': 'دلیل را بنویسید.',
    'invalid-input': 'ورودی پذیرفته نشد.',
    'database-unavailable': 'پایگاه داده پاسخ نمی‌دهد. چند لحظه بعد دوباره امتحان کنید.',
    unreachable: 'سامانه پاسخ نمی‌دهد. چند لحظه بعد دوباره امتحان کنید.',
    unknown: 'خطایی پیش آمد. دوباره امتحان کنید.',
  },
}

export type Text = typeof fa
