"""The words of the `sketch` world in English and Chinese: per value a list, the first word is its name.

`{c}` marks where a colour word goes.
"""

from __future__ import annotations


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


SUBJECT_EN = {
    k: _split(v)
    for k, v in {
        "person": "{c}person|{c}man|{c}woman|{c}girl|{c}boy|man in {c}coat|{c}traveller|{c}walker|"
        "hero in {c}clothes|{c}young man",
        "woman with umbrella": "woman with {c}umbrella|girl with {c}umbrella|lady under {c}umbrella|"
        "woman holding {c}umbrella",
        "child with kite": "child with {c}kite|boy flying {c}kite|child flying {c}kite|kid with {c}kite|"
        "{c}kite and a child",
        "old man": "{c}old man|{c}grandfather|old man in {c}robe|{c}elderly man|{c}wise old man",
        "hunter with bow": "{c}hunter with bow|{c}archer|{c}hunter|{c}bowman|{c}hunter drawing his bow|"
        "{c}orion the hunter",
        "dancer": "{c}dancer|{c}ballerina|dancing girl in {c}dress|dancer in {c}dress|{c}ballet dancer",
        "boat": "{c}boat|small {c}boat|little {c}boat|{c}sailboat|{c}fishing boat",
        "sailing ship": "{c}sailing ship|{c}ship|big {c}ship|{c}galleon|tall {c}ship|{c}pirate ship",
        "bird": "{c}bird|little {c}bird|{c}sparrow|flying {c}bird|{c}swallow",
        "crane": "{c}crane|{c}heron|{c}stork|flying {c}crane|{c}swan",
        "horse": "{c}horse|{c}stallion|wild {c}horse|{c}pony|galloping {c}horse",
        "deer": "{c}deer|{c}stag|{c}reindeer|{c}spotted deer|{c}fawn",
        "cat": "{c}cat|little {c}cat|{c}kitten|cute {c}cat|{c}kitty",
        "fish": "{c}fish|{c}goldfish|little {c}fish|{c}carp|{c}koi",
        "whale": "{c}whale|big {c}whale|swimming {c}whale|huge {c}whale|giant {c}whale",
        "sea monster": "{c}sea monster|{c}monster of the sea|{c}sea serpent|{c}monster|huge {c}sea monster|"
        "{c}kraken",
        "scorpion": "{c}scorpion|giant {c}scorpion|{c}scorpio|big {c}scorpion",
        "dragon": "{c}dragon|chinese {c}dragon|flying {c}dragon|great {c}dragon|{c}loong",
        "rocket": "{c}rocket|{c}spaceship|{c}space rocket|{c}spacecraft|{c}rocket ship",
        "car": "{c}car|little {c}car|{c}automobile|{c}taxi|sports {c}car",
        "train": "{c}train|{c}steam train|{c}locomotive|old {c}train|{c}railway train",
        "bicycle": "{c}bicycle|{c}bike|man on {c}bicycle|cyclist on {c}bike|{c}cyclist",
        "balloon": "{c}balloon|{c}hot air balloon|hot-air {c}balloon|big {c}balloon",
        "lantern": "{c}lantern|{c}sky lantern|glowing {c}lantern|paper {c}lantern|{c}chinese lantern",
        "flower": "{c}flower|{c}blossom|beautiful {c}flower|{c}rose|{c}daisy",
        "product bottle": "{c}product bottle|{c}bottle|{c}perfume bottle|{c}product|bottle of {c}perfume|"
        "{c}drink bottle",
        "constellation": "{c}constellation|{c}star constellation|{c}big dipper|constellation of {c}stars|"
        "{c}star sign",
        "none": "landscape|scenery|view|empty landscape|quiet scenery|beautiful view",
    }.items()
}

SUBJECT_ZH = {
    k: _split(v)
    for k, v in {
        "person": "一个{c}人|一个{c}行人|一个{c}男人|一个{c}女人|一个{c}女孩|一个{c}孩子|一位{c}旅人|"
        "一个穿{c}衣服的人|一名{c}英雄|一个{c}年轻人",
        "woman with umbrella": "一个撑{c}伞的女人|一位打着{c}伞的姑娘|撑着{c}雨伞的女子|一个打{c}伞的女孩",
        "child with kite": "一个放{c}风筝的孩子|一个孩子放{c}风筝|拿着{c}风筝的小孩|放{c}风筝的男孩",
        "old man": "一位{c}老人|一个{c}老爷爷|一位{c}老者|一个{c}老头|一位{c}长胡子老人",
        "hunter with bow": "一个{c}猎人|一个拉弓的{c}猎人|一名{c}弓箭手|拿着弓箭的{c}猎人|{c}猎户",
        "dancer": "一个{c}舞者|一位跳舞的{c}女孩|一个{c}芭蕾舞者|一个穿{c}裙子的舞者|一位{c}舞蹈演员",
        "boat": "一只{c}小船|一条{c}船|一艘{c}小船|一叶{c}小舟|{c}小船|一艘{c}帆船",
        "sailing ship": "一艘{c}大帆船|一艘{c}大船|一艘{c}海盗船|{c}大帆船|一艘{c}轮船",
        "bird": "一只{c}鸟|一只{c}小鸟|{c}小鸟|一只{c}燕子|一只{c}飞鸟",
        "crane": "一只{c}鹤|一只{c}仙鹤|{c}仙鹤|一只{c}丹顶鹤|一只{c}苍鹭|一只{c}天鹅",
        "horse": "一匹{c}马|一匹{c}骏马|{c}骏马|一匹{c}小马|一匹{c}野马",
        "deer": "一只{c}鹿|一头{c}小鹿|一头{c}鹿|{c}小鹿|一只{c}梅花鹿",
        "cat": "一只{c}猫|一只{c}小猫|{c}小猫|一只可爱的{c}猫|一只{c}猫咪",
        "fish": "一条{c}鱼|一条{c}小鱼|{c}小鱼|一条{c}金鱼|一条{c}鲤鱼|一条{c}锦鲤",
        "whale": "一头{c}鲸鱼|一条{c}鲸鱼|一头{c}大鲸|{c}鲸鱼|一头巨大的{c}鲸",
        "sea monster": "{c}海怪|一只{c}海怪|一头{c}海怪|巨大的{c}海怪|一条{c}海蛇|一只{c}怪兽",
        "scorpion": "一只{c}蝎子|{c}蝎子|一只巨大的{c}蝎子|{c}天蝎|一只{c}大蝎子",
        "dragon": "一条{c}龙|{c}巨龙|一条{c}巨龙|一条{c}中国龙|一条{c}飞龙",
        "rocket": "一枚{c}火箭|{c}火箭|一艘{c}飞船|一艘{c}宇宙飞船|一枚{c}大火箭",
        "car": "一辆{c}汽车|一辆{c}小汽车|{c}汽车|一辆{c}车|一辆{c}轿车|一辆{c}跑车",
        "train": "一列{c}火车|{c}火车|一列{c}蒸汽火车|一辆{c}火车|一列{c}列车",
        "bicycle": "一辆{c}自行车|一个骑{c}自行车的人|{c}自行车|一辆{c}单车|骑着{c}自行车的少年",
        "balloon": "一个{c}热气球|{c}热气球|一只{c}气球|一个{c}气球|一只{c}热气球",
        "lantern": "一盏{c}灯笼|{c}灯笼|一盏{c}孔明灯|{c}孔明灯|一盏{c}天灯",
        "flower": "一朵{c}花|{c}花朵|一朵{c}鲜花|一朵{c}小花|一朵{c}玫瑰",
        "product bottle": "一个{c}瓶子|一瓶{c}香水|一个{c}产品瓶|一瓶{c}饮料|{c}商品瓶|一款{c}产品",
        "constellation": "{c}星座|一个{c}星座|{c}北斗七星|{c}北斗星|天上的{c}星座",
        "none": "风景|景色|一片风景|美丽的景色|空旷的风景|画面",
    }.items()
}

COLOUR_EN = {
    k: _split(v)
    for k, v in {
        "default": "|",
        "red": "red|red|crimson|scarlet|bright red",
        "blue": "blue|blue|deep blue|azure",
        "yellow": "yellow|yellow|golden yellow|bright yellow",
        "green": "green|green|emerald|bright green",
        "white": "white|white|bright white|pure white",
        "black": "black|black|jet black|dark black",
        "pink": "pink|pink|rosy|light pink",
    }.items()
}
COLOUR_ZH = {
    k: _split(v)
    for k, v in {
        "default": "|",
        "red": "红色的|红|大红色的|鲜红的",
        "blue": "蓝色的|蓝|深蓝色的|湛蓝的",
        "yellow": "黄色的|黄|金黄色的|鲜黄的",
        "green": "绿色的|绿|翠绿的|碧绿的",
        "white": "白色的|白|洁白的|纯白的",
        "black": "黑色的|黑|漆黑的|乌黑的",
        "pink": "粉色的|粉红色的|粉|粉红的",
    }.items()
}

PLACE_EN = {
    k: _split(v)
    for k, v in {
        "sea": "at sea|on the sea|on the ocean|in the sea|over the waves|at the seaside|on the open sea|"
        "among the waves",
        "mountains": "in the mountains|among the mountains|in front of high mountains|in the hills|"
        "over the mountains|by the mountain peaks",
        "desert": "in the desert|among sand dunes|in the sand|in a sandy desert|near the pyramids",
        "forest": "in the forest|in the woods|among the trees|in a deep forest|among tall pine trees",
        "city": "in the city|in front of skyscrapers|on a city street|downtown|in a big city|"
        "between tall buildings",
        "grassland": "on the grassland|in a meadow|on the grass|in an open field|on the prairie|"
        "in the countryside",
        "river": "on the river|by the river|at the lake|on a river|along the stream|at the riverside",
        "space": "in space|in outer space|on the moon|among the stars|in the universe|in the cosmos|"
        "in the galaxy",
        "village": "in the village|in an old street|in an old town|in a small village|in front of old houses",
        "snowfield": "on the snowfield|in the snowy field|on the snow-covered field|"
        "in a land of snow and ice|"
        "on the ice field",
    }.items()
}
PLACE_ZH = {
    k: _split(v)
    for k, v in {
        "sea": "海上|大海上|海面上|海洋中|海里|海边|波涛中",
        "mountains": "山间|群山中|高山前|山里|高山之间|山峦间|大山前",
        "desert": "沙漠里|沙漠中|沙丘间|大漠中|沙漠上|金字塔前",
        "forest": "森林里|森林中|树林里|林间|树林中|松林里",
        "city": "城市里|城市中|高楼间|都市中|街道上|高楼大厦前",
        "grassland": "草原上|草地上|田野上|草坪上|广阔的原野上|乡间",
        "river": "河上|河面上|江上|河边|湖面上|小河边|湖上",
        "space": "太空中|宇宙中|外太空|星空中|星际间|月球上|星河中",
        "village": "村庄里|古镇里|老街上|小镇上|村子里|古街上",
        "snowfield": "雪原上|雪地上|雪地里|冰天雪地中|茫茫雪原上",
    }.items()
}
PLACE_TAG = {
    "sea": ("sea", "ocean", "大海"),
    "mountains": ("mountains", "mountain peaks", "高山"),
    "desert": ("desert", "sand dunes", "沙漠"),
    "forest": ("forest", "woods", "森林"),
    "city": ("city", "skyscrapers", "城市"),
    "grassland": ("grassland", "meadow", "草原"),
    "river": ("river", "lake", "河流"),
    "space": ("outer space", "universe", "太空"),
    "village": ("village", "old street", "村庄"),
    "snowfield": ("snowfield", "ice field", "雪原"),
}

TIME_EN = {
    k: _split(v)
    for k, v in {
        "dawn": "at dawn|at sunrise|in the early morning|at daybreak|in the morning light|in the morning",
        "day": "by day|in daylight|during the day|at noon|in the daytime|on a bright day",
        "sunset": "at sunset|at dusk|in the evening|at sundown|in the evening glow|"
        "in the golden light of sunset",
        "night": "at night|by night|under the moon|at midnight|in the dark night|on a starry night|"
        "under the night sky",
    }.items()
}
TIME_ZH = {
    k: _split(v)
    for k, v in {
        "dawn": "黎明|清晨|日出时|早晨|拂晓|破晓时分",
        "day": "白天|中午|大白天|阳光下|正午",
        "sunset": "日落时|黄昏|傍晚|夕阳下|落日时分|晚霞中",
        "night": "夜晚|夜里|晚上|深夜|月光下|星夜|黑夜",
    }.items()
}

WEATHER_EN = {
    k: _split(v)
    for k, v in {
        "clear": "under a clear sky|in clear weather|in fine weather|on a sunny day",
        "rain": "in the rain|on a rainy day|while it is raining|in heavy rain|with rain falling|"
        "rainy weather",
        "snow": "in the snow|while it is snowing|with snow falling|in snowfall|with snowflakes in the air|"
        "snowy weather",
        "storm": "in a storm|in a thunderstorm|with thunder and lightning|with lightning|in stormy weather|"
        "during a storm",
        "fog": "in the fog|in the mist|on a foggy day|in thick fog|with mist all around|foggy weather",
    }.items()
}
WEATHER_ZH = {
    k: _split(v)
    for k, v in {
        "clear": "晴天|晴空下|天气晴朗|万里无云",
        "rain": "下雨|雨中|下着雨|大雨中|雨天|细雨蒙蒙",
        "snow": "下雪|雪中|下着雪|大雪纷飞|雪花飘落|雪天",
        "storm": "电闪雷鸣|暴风雨中|雷雨交加|雷电交加|暴风雨|打雷闪电",
        "fog": "大雾|雾中|雾气弥漫|起雾|浓雾中|薄雾中",
    }.items()
}

STYLE_EN = {
    k: _split(v)
    for k, v in {
        "paper-cut": "paper-cut style|paper cut|papercut art|in paper-cut style|layered paper",
        "ink": "ink style|chinese ink painting|ink wash|in ink wash style|ink painting|brush and ink",
        "neon": "neon style|cyberpunk|neon lights|in neon cyberpunk style|glowing neon",
        "mono": "monochrome|black and white|in black-and-white style|film noir|greyscale",
        "mythic": "mythic style|gold on blue|mythological style|in golden mythic style|epic myth",
        "watercolour": "watercolour|watercolor|watercolour painting|in watercolor style|soft watercolour",
    }.items()
}
STYLE_ZH = {
    k: _split(v)
    for k, v in {
        "paper-cut": "剪纸风格|剪纸|剪纸画|纸艺风格",
        "ink": "水墨风格|水墨画|水墨|中国画|国画风格",
        "neon": "霓虹风格|赛博朋克|霓虹|赛博朋克风格",
        "mono": "黑白风格|黑白|单色|黑白电影|黑白画面",
        "mythic": "神话风格|神话|金色神话风格|史诗神话",
        "watercolour": "水彩风格|水彩画|水彩|淡彩",
    }.items()
}

CAMERA_EN = {
    k: _split(v)
    for k, v in {
        "still": "still camera|static shot|fixed camera|locked camera",
        "pan_left": "camera pans left|pan left|the camera moves to the left|panning left",
        "pan_right": "camera pans right|pan right|the camera moves to the right|panning right",
        "zoom_in": "camera zooms in|zoom in|slow zoom in|the camera pushes in|close-up zoom",
        "zoom_out": "camera zooms out|zoom out|slow zoom out|the camera pulls back",
    }.items()
}
CAMERA_ZH = {
    k: _split(v)
    for k, v in {
        "still": "镜头固定|固定镜头|静止镜头",
        "pan_left": "镜头左移|镜头向左摇|镜头向左移动|镜头左摇",
        "pan_right": "镜头右移|镜头向右摇|镜头向右移动|镜头右摇",
        "zoom_in": "镜头推近|镜头拉近|镜头推进|镜头放大",
        "zoom_out": "镜头拉远|镜头后退|镜头缩小|镜头渐远",
    }.items()
}

# Verb families: stem, third person, -ing. The first ones fit best.
VERBS_EN = {
    k: tuple(tuple(v.split("/")) for v in _split(text))
    for k, text in {
        "walk": "walks/walking|moves/moving|goes/going|strolls/strolling|travels/travelling",
        "run": "runs/running|moves/moving|gallops/galloping|goes/going|walks/walking",
        "dance": "dances/dancing|moves/moving|goes/going|glides/gliding",
        "sail": "sails/sailing|moves/moving|drifts/drifting|floats/floating|goes/going|travels/travelling",
        "fly": "flies/flying|moves/moving|soars/soaring|glides/gliding|goes/going",
        "swim": "swims/swimming|moves/moving|glides/gliding|goes/going",
        "drive": "drives/driving|moves/moving|rolls/rolling|speeds/speeding|goes/going|travels/travelling",
        "ride": "rides/riding|moves/moving|rolls/rolling|goes/going",
        "float": "floats/floating|drifts/drifting|moves/moving|flies/flying",
        "bloom": "moves/moving|drifts/drifting|slides/sliding",
        "stay": "moves/moving|slides/sliding|glides/gliding",
    }.items()
}
VERBS_ZH = {
    k: _split(v)
    for k, v in {
        "walk": "走|行走|移动|走去|前进",
        "run": "跑|奔跑|移动|跑去|前进",
        "dance": "跳舞|移动|滑动",
        "sail": "航行|行驶|驶去|划去|移动|漂",
        "fly": "飞|飞行|飞去|飞翔|移动",
        "swim": "游|游动|游去|移动",
        "drive": "行驶|开|开去|驶去|移动",
        "ride": "骑行|骑|骑去|移动",
        "float": "飘|飘去|飘动|移动|飞",
        "bloom": "移动|飘动",
        "stay": "移动|滑动",
    }.items()
}

WAY_EN = {
    "right": _split("right|to the right|to the right|rightward|from left to right|towards the right"),
    "left": _split("left|to the left|to the left|leftward|from right to left|towards the left"),
    "up": _split("up|upward|upwards|higher and higher|into the sky"),
    "down": _split("down|downward|downwards|lower and lower|to the ground"),
}
WAY_ZH = {
    "right": _split("向右{v}|往右{v}|朝右{v}|从左往右{v}|向右边{v}|从左向右{v}|往右边{v}"),
    "left": _split("向左{v}|往左{v}|朝左{v}|从右往左{v}|向左边{v}|从右向左{v}|往左边{v}"),
    "up": _split("向上{v}|往上{v}|朝上{v}|向上升起|冉冉升起|缓缓上升|升上天空"),
    "down": _split("向下{v}|往下{v}|朝下{v}|缓缓下降|缓缓落下|慢慢降落|往下沉"),
}
# Whole actions in third person and -ing form, by value.
ACT_EN = {
    k: tuple(tuple(v.split("/")) for v in _split(text))
    for k, text in {
        "up": "rises/rising|rises up/rising up|climbs up/climbing up|ascends/ascending|goes up/going up",
        "down": "sinks/sinking|comes down/coming down|descends/descending|falls down/falling down|"
        "goes down/going down",
        "stand": "stands still/standing still|stays still/staying still|stands/standing|rests/resting|"
        "waits/waiting|does not move/not moving",
        "grow": "grows/growing|grows bigger/growing bigger|gets larger/getting larger|"
        "becomes bigger/becoming bigger",
        "fade_in": "fades in/fading in|appears slowly/appearing slowly|slowly appears/slowly appearing|"
        "gradually appears/gradually appearing",
    }.items()
}
ACT_ZH = {
    k: _split(v)
    for k, v in {
        "stand": "静静站着|站着不动|停着|静止不动|停在那里|原地不动",
        "grow": "慢慢变大|渐渐长大|越来越大|生长|变大",
        "fade_in": "渐渐出现|慢慢浮现|淡入|缓缓出现|逐渐显现",
    }.items()
}
# Sayings that fit one subject only: (subject, action) to English third/-ing pairs and Chinese.
SPECIAL_EN = {
    ("sea monster", "up"): (
        ("breaks out of the waves", "breaking out of the waves"),
        ("rises from the sea", "rising from the sea"),
    ),
    ("whale", "up"): (("jumps out of the water", "jumping out of the water"),),
    ("rocket", "up"): (("takes off", "taking off"), ("blasts off", "blasting off")),
    ("flower", "grow"): (("blooms", "blooming"), ("blossoms", "blossoming"), ("opens", "opening")),
    ("dancer", "stand"): (("dances", "dancing"), ("dances on the spot", "dancing on the spot")),
    ("rocket", "down"): (("lands", "landing"),),
    ("balloon", "down"): (("lands", "landing"),),
    ("fish", "up"): (("jumps", "jumping"),),
    ("bird", "down"): (("lands", "landing"),),
    ("crane", "down"): (("lands", "landing"),),
}
SPECIAL_ZH = {
    ("sea monster", "up"): ("破浪而出", "从海里冒出来", "浮出水面", "跃出海面"),
    ("whale", "up"): ("跃出水面", "浮出水面"),
    ("fish", "up"): ("跃出水面", "跳起来"),
    ("rocket", "up"): ("发射升空", "起飞", "升空"),
    ("flower", "grow"): ("盛开", "绽放", "慢慢开放", "开花"),
    ("dancer", "stand"): ("跳舞", "翩翩起舞"),
    ("dragon", "up"): ("腾空而起", "飞上天"),
    ("rocket", "down"): ("降落", "着陆"),
    ("constellation", "fade_in"): ("亮起来", "在夜空中出现"),
    ("balloon", "up"): ("升空", "飞上天空"),
    ("lantern", "up"): ("升上夜空", "飞上天空"),
    ("boat", "down"): ("沉没",),
    ("sailing ship", "down"): ("沉没",),
}
# Landscapes with a name of their own: (backdrop, time).
SIGHTS_EN = {
    ("space", "night"): (
        "the milky way across the night sky",
        "a night sky full of stars",
        "the milky way",
        "starry sky",
    ),
    ("sea", "sunset"): ("sunset over the sea",),
    ("sea", "dawn"): ("sunrise over the sea",),
    ("city", "night"): ("city lights at night",),
    ("mountains", "dawn"): ("sunrise in the mountains",),
}
SIGHTS_ZH = {
    ("space", "night"): ("夜空中银河横贯", "银河横贯夜空", "满天繁星的夜空", "璀璨的银河"),
    ("sea", "sunset"): ("海上日落",),
    ("sea", "dawn"): ("海上日出",),
    ("city", "night"): ("城市夜景",),
    ("mountains", "dawn"): ("山间日出",),
}

OPENING_EN = _split(
    "a video of|please draw|show me|an animation of|a short film of|i want|"
    "generate a video of|create a clip of|a picture of|make a film with"
)
OPENING_ZH = _split(
    "请生成|一段视频|画面中|请画|生成一段视频|我想看|帮我做一个视频|动画|短片|视频里|画一个场景"
)
PRAISE_EN = _split("beautiful|high quality|cinematic|lovely colours|very detailed|a masterpiece|4k|poetic")
PRAISE_ZH = _split("画面精美|很漂亮|高清|电影感|色彩柔和|意境优美|非常唯美|高质量")
ADVERB_EN = _split("slowly|gently|quietly|quickly|calmly")
ADVERB_ZH = _split("缓缓|慢慢|静静地|快速|轻轻地|正在")
