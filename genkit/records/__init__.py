"""The experiments behind the chapters' records, one file a chapter."""

CHAPTERS = {
    "learning/supervised": "supervised",
    "learning/unsupervised": "unsupervised",
    "learning/semi_supervised": "semi_supervised",
    "learning/reinforcement": "reinforcement",
    "learning/self_supervised": "self_supervised",
    "learning/deep_learning": "deep_learning",
    "foundations/discriminative_vs_generative": "discriminative_vs_generative",
    "foundations/learning_a_distribution": "learning_a_distribution",
    "foundations/family_tree": "family_tree",
    "foundations/latent_space": "latent_space",
    "models/vae": "vae",
    "models/autoregressive": "autoregressive",
    "models/attention": "attention",
    "models/gpt": "gpt",
    "models/encoders_and_translators": "encoders",
    "models/decoding": "decoding",
    "models/flows": "flows",
    "models/gans": "gans",
    "models/image_translation": "translation",
    "models/diffusion": "diffusion",
    "models/flow_matching": "flow_matching",
    "models/boltzmann": "boltzmann",
    "models/energy_and_discrete": "energy_and_discrete",
    "models/seeing_networks": "seeing_networks",
}
"""Which file holds the experiments of which chapter."""
