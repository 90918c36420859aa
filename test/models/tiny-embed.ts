import { encodeGguf, type Tensor } from './gguf.ts'

const width = 48
const heads = 4
const hidden = 16
const context = 512

/** Words of one line have similar vectors; words of different lines do not. */
const families = [
  'tomato tomatoes pepper peppers courgette zucchini aubergine eggplant cucumber pumpkin squash',
  'onion onions garlic shallot shallots leek leeks chive chives',
  'carrot carrots potato potatoes beetroot turnip parsnip radish celery sweetcorn corn',
  'spinach kale cabbage lettuce broccoli cauliflower rocket chard sprouts asparagus',
  'basil parsley coriander cilantro mint thyme rosemary oregano dill sage tarragon herbs herb bay',
  'salt cumin paprika turmeric cinnamon nutmeg cardamom chilli chili ginger saffron curry spice spices mustard',
  'bean beans lentil lentils chickpea chickpeas pea peas tofu soy miso',
  'rice pasta noodle noodles spaghetti couscous quinoa bulgur barley oats polenta grain',
  'flour bread dough yeast tortilla pastry crust toast crumbs',
  'milk cream butter cheese yoghurt yogurt feta parmesan mozzarella ricotta cheddar halloumi',
  'egg eggs omelette frittata',
  'chicken turkey duck beef pork lamb bacon ham sausage chorizo meat steak mince',
  'fish salmon tuna cod trout mackerel shrimp prawn prawns mussels squid anchovy seafood',
  'apple apples pear pears banana orange lemon lemons lime cherry strawberry strawberries berry berries mango peach',
  'almond almonds walnut walnuts hazelnut peanut peanuts pistachio cashew nuts sesame seeds tahini coconut',
  'sugar honey chocolate cocoa vanilla syrup jam caramel cake biscuit pudding dessert',
  'oil olive vinegar wine stock broth sauce water',
  'soup stew casserole braise chowder',
  'salad slaw bowl dressing',
  'pie tart quiche pizza bake gratin lasagne roast baked roasted',
  'mushroom mushrooms truffle porcini',
  'quick easy fast minutes simple',
  'vegan vegetarian gluten free healthy light',
]
/** Words without a meaning for a dish. They get the zero vector. */
const fillers = 'a an and the with of in on for to or from at by is it as one two into over until then add'
const control = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
const [padding, unknown, classify, separate, mask] = [0, 1, 2, 3, 4]

/**
 * A BERT of one layer that turns a text into the mean of its words' vectors (48 dimensions), so that recipe search can be tested
 * against a real Ollama with nothing to download. Attention and feed-forward weights are zero. A word that is not
 * in `families` is read letter by letter.
 */
export function tinyEmbed(): Buffer<ArrayBuffer> {
  const vectors = vocabulary()
  const tokens = [...vectors.keys()]
  const embedding = new Float32Array(tokens.length * width)
  tokens.forEach((token, i) => {
    embedding.set(vectors.get(token) ?? [], i * width)
  })

  return encodeGguf(
    {
      'general.architecture': { type: 'string', value: 'bert' },
      'general.name': { type: 'string', value: 'tiny-embed' },
      'general.file_type': { type: 'uint32', value: 0 },
      'bert.context_length': { type: 'uint32', value: context },
      'bert.embedding_length': { type: 'uint32', value: width },
      'bert.block_count': { type: 'uint32', value: 1 },
      'bert.feed_forward_length': { type: 'uint32', value: hidden },
      'bert.attention.head_count': { type: 'uint32', value: heads },
      'bert.attention.layer_norm_epsilon': { type: 'float32', value: 1e-12 },
      'bert.attention.causal': { type: 'bool', value: false },
      'bert.pooling_type': { type: 'uint32', value: 1 },
      'tokenizer.ggml.model': { type: 'string', value: 'bert' },
      'tokenizer.ggml.pre': { type: 'string', value: 'default' },
      'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
      'tokenizer.ggml.token_type': { type: 'int32s', value: tokens.map((_, i) => (i < control.length ? 3 : 1)) },
      'tokenizer.ggml.token_type_count': { type: 'uint32', value: 2 },
      'tokenizer.ggml.bos_token_id': { type: 'uint32', value: classify },
      'tokenizer.ggml.eos_token_id': { type: 'uint32', value: separate },
      'tokenizer.ggml.cls_token_id': { type: 'uint32', value: classify },
      // The misspelling is the format's own.
      'tokenizer.ggml.seperator_token_id': { type: 'uint32', value: separate },
      'tokenizer.ggml.unknown_token_id': { type: 'uint32', value: unknown },
      'tokenizer.ggml.padding_token_id': { type: 'uint32', value: padding },
      'tokenizer.ggml.mask_token_id': { type: 'uint32', value: mask },
    },
    [
      { name: 'token_embd.weight', shape: [width, tokens.length], data: embedding },
      matrix('token_types.weight', width, 2),
      matrix('position_embd.weight', width, context),
      ...norm('token_embd_norm'),
      ...layer('blk.0.attn_q', width, width),
      ...layer('blk.0.attn_k', width, width),
      ...layer('blk.0.attn_v', width, width),
      ...layer('blk.0.attn_output', width, width),
      ...norm('blk.0.attn_output_norm'),
      ...layer('blk.0.ffn_up', width, hidden),
      ...layer('blk.0.ffn_down', hidden, width),
      ...norm('blk.0.layer_output_norm'),
    ],
  )
}

/** Token to vector. `▁` begins a word; a token without it continues one. */
function vocabulary(): Map<string, number[]> {
  const random = generator(1)
  const randomVector = () => Array.from({ length: width }, () => random() - 0.5)
  const zero = Array.from({ length: width }, () => 0)
  const vectors = new Map<string, number[]>(control.map((token) => [token, zero]))
  for (const filler of fillers.split(' ')) vectors.set(`▁${filler}`, zero)
  for (const family of families) {
    const shared = randomVector()
    for (const word of family.split(' ')) {
      if (vectors.has(`▁${word}`)) throw new Error(`tiny-embed: the word ${word} occurs twice`)
      const own = stem(word, vectors) ?? randomVector().map((value, i) => value + 0.75 * (shared[i] ?? 0))
      vectors.set(`▁${word}`, own)
    }
  }
  for (const letter of 'abcdefghijklmnopqrstuvwxyz0123456789') {
    if (!vectors.has(`▁${letter}`)) vectors.set(`▁${letter}`, randomVector())
    vectors.set(letter, randomVector())
  }
  for (const mark of ',.;:!?-()/\'"&%') vectors.set(`▁${mark}`, zero)
  return vectors
}

/** The vector of the singular, where `word` is the plural of a word already known. */
function stem(word: string, vectors: ReadonlyMap<string, number[]>): number[] | undefined {
  return (
    vectors.get(`▁${word.replace(/s$/, '')}`) ??
    vectors.get(`▁${word.replace(/es$/, '')}`) ??
    vectors.get(`▁${word.replace(/ies$/, 'y')}`)
  )
}

/** A linear congruential generator of numbers in [0, 1), exact in any JavaScript engine: the file must not differ by machine. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x80000000
  }
}

function matrix(name: string, inputs: number, outputs: number): Tensor {
  return { name, shape: [inputs, outputs], data: new Float32Array(inputs * outputs) }
}

function layer(name: string, inputs: number, outputs: number): Tensor[] {
  return [
    matrix(`${name}.weight`, inputs, outputs),
    { name: `${name}.bias`, shape: [outputs], data: new Float32Array(outputs) },
  ]
}

function norm(name: string): Tensor[] {
  return [
    { name: `${name}.weight`, shape: [width], data: new Float32Array(width).fill(1) },
    { name: `${name}.bias`, shape: [width], data: new Float32Array(width) },
  ]
}
